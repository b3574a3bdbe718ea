"""``python -m tinyhar``: the command, where its script is not on the path."""

from tinyhar.cli.main import main

main()
