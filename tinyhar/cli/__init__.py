"""The command line: thin commands over the rooms. ``tinyhar --help`` lists them."""
