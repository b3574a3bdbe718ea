"""ELF files, and what is wrong with one in a line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tinyhar.errors import ModelError, ToolError


@contextmanager
def opened(image: Path) -> Iterator[Any]:
    """The file as pyelftools' ELFFile; ToolError where it, or a bundle in it, is damaged."""
    from elftools.common.exceptions import ELFError
    from elftools.construct import ConstructError
    from elftools.elf.elffile import ELFFile

    try:
        with image.open("rb") as file:
            yield ELFFile(file)
    except OSError as error:
        raise ToolError(
            f"{image}: cannot be read ({error.strerror}); build the firmware first"
        ) from error
    except (ELFError, ConstructError, ModelError, ValueError, AttributeError) as error:
        raise ToolError(
            f"{image}: no ELF image, or a damaged one ({error}); build the firmware again"
        ) from error


def check_whole(image: Path) -> None:
    """ToolError unless the file goes on to its end, where linkers put the table of sections."""
    with opened(image) as elf:
        for _ in elf.iter_sections():
            pass
