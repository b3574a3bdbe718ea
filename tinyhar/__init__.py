"""tinyhar: recordings of movement go in, a wrist band that names the movement comes out."""

__version__ = "0.1.0"
