"""The command line: thin commands over the rooms. ``tinyhar --help`` lists them."""


def main() -> None:
    """Run ``tinyhar``. Imported only now, so that the serial tool next door starts at once."""
    from tinyhar.cli.main import main as run

    run()


__all__ = ["main"]
