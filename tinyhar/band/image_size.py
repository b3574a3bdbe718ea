"""What a firmware image takes in flash and RAM, by part, from the ELF file and the linker's map.

    python -m tinyhar.band.image_size firmware/build/mps2_an386/tinyhar-band.elf

Flash is code, constants and the initial values of variables; RAM is variables, zeroed memory and
the stack's reserve. Both totals come from the ELF file's sections, the shares from the map, and
what the linker put in between is named alignment, so that the parts add up to the totals.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinyhar.band import elf
from tinyhar.convert.bundle_format import open_header
from tinyhar.errors import TinyharError, ToolError
from tinyhar.evaluate.run_report import MemoryPart


@dataclass(frozen=True)
class ImageSize:
    """An image in bytes; its parts add up to its totals."""

    flash_bytes: int
    ram_bytes: int
    parts: tuple[MemoryPart, ...]

    def part(self, name: str) -> MemoryPart:
        """The part of that name; empty where the image has none."""
        return next((part for part in self.parts if part.name == name), MemoryPart(name, 0, 0))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def table(self) -> str:
        """For a terminal."""
        rows = [("part", "flash", "RAM", "")]
        rows += [
            (part.name, f"{part.flash_bytes:,}", f"{part.ram_bytes:,}", part.note)
            for part in self.parts
        ]
        rows.append(("total", f"{self.flash_bytes:,}", f"{self.ram_bytes:,}", ""))
        return "\n".join(f"{a:<12}{b:>10}{c:>10}  {d}".rstrip() for a, b, c, d in rows)


BUNDLE_SYMBOLS = ("thar_bundle_start", "thar_bundle_end")

NOTES = {
    "engine": "kernels and plan interpreter",
    "core": "wire, windows, smoothing, bundle, band loop and their buffers",
    "port": "start-up, UART, clock",
    "library": "C library and compiler support",
    "model": "what the engine runs: weights and plan",
    "bundle": "labels, scaling, golden windows",
    "arena": "the model's working memory",
    "stack": "reserved",
    "alignment": "",
}


def measure(image: Path) -> ImageSize:
    """Sizes of an ELF image whose map lies beside it (IMAGE with suffix .map).

    Raises ToolError for a file that is missing, damaged or not what its name says.
    """
    with elf.opened(image) as file:
        flash_bytes, ram_bytes, stack_bytes = _totals(file)
        model_bytes = _model_bytes(file, str(image))
    flash: Counter[str] = Counter()
    ram: Counter[str] = Counter()
    for section, size, origin in contributions(image.with_suffix(".map")):
        name = _part_of(section, origin)
        if section.startswith((".bss", "COMMON", ".data")):
            ram[name] += size
        if not section.startswith((".bss", "COMMON")):
            flash[name] += size
    flash["model"] = min(model_bytes, flash["bundle"])
    flash["bundle"] -= flash["model"]
    ram["stack"] = stack_bytes
    flash["alignment"] = flash_bytes - flash.total()
    ram["alignment"] = ram_bytes - ram.total()
    parts = (MemoryPart(name, flash[name], ram[name], note) for name, note in NOTES.items())
    return ImageSize(
        flash_bytes, ram_bytes, tuple(part for part in parts if part.flash_bytes or part.ram_bytes)
    )


def _totals(file: Any) -> tuple[int, int, int]:
    """Bytes of flash, of RAM, and of the RAM that is the stack's."""
    from elftools.elf.constants import SH_FLAGS

    flash = ram = stack = 0
    for section in file.iter_sections():
        flags, size = section["sh_flags"], section["sh_size"]
        if not flags & SH_FLAGS.SHF_ALLOC:
            continue
        if section["sh_type"] != "SHT_NOBITS":
            flash += size
        if flags & SH_FLAGS.SHF_WRITE:
            ram += size
        if section.name == ".stack":
            stack += size
    return flash, ram, stack


def _model_bytes(file: Any, source: str) -> int:
    """How much of the bundle in the image is the model itself; 0 without a bundle or symbols."""
    symbols = file.get_section_by_name(".symtab")
    found = [symbols and symbols.get_symbol_by_name(name) for name in BUNDLE_SYMBOLS]
    if not all(found):
        return 0
    (start,), (end,) = found
    section = file.get_section(start["st_shndx"])
    at, size = start["st_value"] - section["sh_addr"], end["st_value"] - start["st_value"]
    bundle = section.data()[at : at + size]
    return int(open_header(bundle, source)["model_bytes"]) if bundle else 0


_LINE = re.compile(
    r"^ (?P<section>\S+)\s+0x[0-9a-f]+\s+0x(?P<size>[0-9a-f]+) (?P<origin>\S.*)$", re.MULTILINE
)
_KEPT = (".text", ".rodata", ".data", ".bss", "COMMON", ".vectors", ".ARM.ex", ".init", ".fini")


def contributions(map_file: Path) -> Iterator[tuple[str, int, str]]:
    """Input section, bytes and object file of everything that the linker kept (GNU ld's map)."""
    try:
        text = map_file.read_text(errors="replace")
    except OSError as error:
        raise ToolError(
            f"{map_file}: cannot be read ({error.strerror}); the build leaves it beside the image"
        ) from error
    _, found, kept = text.partition("\nLinker script and memory map\n")
    if not found:
        raise ToolError(f"{map_file} is not a map of GNU ld")
    # A long section name has its numbers on the next line.
    joined = re.sub(r"^ (\S+)\n\s+(0x)", r" \1 \2", kept, flags=re.MULTILINE)
    for match in _LINE.finditer(joined):
        if match["section"].startswith(_KEPT):
            yield match["section"], int(match["size"], 16), match["origin"]


def _part_of(section: str, origin: str) -> str:
    if section.startswith(".bss.arena"):
        return "arena"
    if section.startswith(".rodata.thar_bundle"):
        return "bundle"
    for mark, name in (
        ("libthar_engine_", "engine"),
        ("tensorflow-microlite", "engine"),
        ("libthar_core.", "core"),
        ("CMakeFiles/tinyhar-band.dir/", "port"),
    ):
        if mark in origin:
            return name
    return "library"


def _main() -> None:
    images = [argument for argument in sys.argv[1:] if argument != "--json"]
    if len(images) != 1:
        print("usage: python -m tinyhar.band.image_size IMAGE.elf [--json]", file=sys.stderr)
        sys.exit(2)
    try:
        size = measure(Path(images[0]))
    except TinyharError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print(json.dumps(size.to_dict(), indent=2) if "--json" in sys.argv else size.table())


if __name__ == "__main__":
    _main()
