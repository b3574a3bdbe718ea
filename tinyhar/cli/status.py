"""Exit statuses, the same for every command."""

from typing import Final

BAD_VERDICT: Final = 1
"""The work was done and its answer is no: bytes differ, a self test failed."""

BAD_INPUT: Final = 2
"""Something given is missing, wrong or out of reach; one line says what and how to mend it."""

INTERRUPTED: Final = 130
"""Ctrl-C; what was finished is kept."""
