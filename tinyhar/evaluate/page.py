"""What our pages share: the look, the template engine and how it writes numbers."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tinyhar.evaluate import formats
from tinyhar.evaluate.run_report import Missing

if TYPE_CHECKING:
    from jinja2 import Template

_HERE = Path(__file__).parent
_FILTERS = ("score", "change", "count", "kib", "share", "number", "duration", "unit", "breakable")


def style() -> str:
    """The style sheet as text: pages carry it inside."""
    return (_HERE / "report.css").read_text(encoding="utf-8")


@cache
def template(name: str, folder: Path = _HERE) -> Template:
    """A page's template, of this room or another's; an unknown variable in it is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for each in _FILTERS:
        environment.filters[each] = getattr(formats, each)
    environment.tests["missing_part"] = lambda part: isinstance(part, Missing)
    return environment.get_template(name)
