"""``tinyhar bench kernels``: what each kernel of the compiled engine costs by itself."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from tinyhar.cli.status import BAD_VERDICT
from tinyhar.cli.tables import show


def kernels(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Run models of one layer on an emulated Cortex-M4, and count.

    "each" is instructions for one multiplication of a convolution, for one value of any other
    layer. Exit status 1: a byte differs from the desk's.
    """
    from tinyhar.band import cortex_m4
    from tinyhar.bench import kernels as bench

    with cortex_m4.device() as target:
        measured = list(bench.measure(target))
    if as_json:
        print(json.dumps({"kernels": [bench.as_json(one) for one in measured]}, indent=2))
    else:
        show(bench.HEADER, bench.rows(measured), words=2)
    if any(one.cost.mismatched_bytes for one in measured):
        sys.exit(BAD_VERDICT)
