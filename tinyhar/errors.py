"""What can go wrong, as one family; the command line turns any of it into one line and a status."""


class TinyharError(Exception):
    """Root of every error that tinyhar raises on purpose; its text names culprit and remedy."""


class DataError(TinyharError):
    """A recording, data set or file is missing, damaged or not what it claims to be."""


class RecipeError(TinyharError):
    """A recipe has a key or a value that it must not have."""


class LeakError(TinyharError):
    """Test data, a label or an identity would reach training."""


class ModelError(TinyharError):
    """A model cannot be converted, compiled or run."""


class ToolError(TinyharError):
    """A program that the work needs (compiler, emulator) is missing or failed."""


class BandError(TinyharError):
    """A band, real or emulated, cannot be reached or does not speak as agreed."""
