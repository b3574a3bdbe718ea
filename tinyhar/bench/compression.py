"""What each step of compression buys: one trained student, made smaller in several ways.

The student is trained once a seed (and once for each person left out); every way of making it
smaller starts from that very network, so what differs is the step alone.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import tinyhar
from tinyhar import recipe as recipes
from tinyhar.band import budget, cortex_m4
from tinyhar.band.desk import BUNDLE, INT8
from tinyhar.errors import ToolError
from tinyhar.evaluate.cost import gzip_bytes
from tinyhar.evaluate.metrics import Summary, summary
from tinyhar.pipeline.folder import RunFolder
from tinyhar.recipe import Recipe

TRAINED: Final = ("prepare", "teach", "distil")
"""Stages that all ways share."""
FIGURES: Final = "figures.json"

Told = Callable[[str, int, int], None]
"""(what is made, how many are, of how many)."""


@dataclass(frozen=True)
class Way:
    """A way to make a student smaller.

    Attributes:
        name: for its folder.
        title: for people.
        pruning: keys of the recipe's [pruning] that it sets; its training stays.
        values: of clustering.
        quantisation: its method.
    """

    name: str
    title: str
    pruning: dict[str, Any]
    values: int | None = None
    quantisation: str = "ptq"

    def of(self, recipe: Recipe) -> Recipe:
        """The recipe with this compression instead of its own."""
        table = recipe.model_dump(mode="json", exclude_none=True)
        kept = {key: table[key]["training"] for key in ("pruning", "clustering")}
        table["pruning"] = {"training": kept["pruning"], **self.pruning}
        table["clustering"] = {"training": kept["clustering"]}
        if self.values is not None:
            table["clustering"]["values"] = self.values
        table["quantisation"]["method"] = self.quantisation
        return recipes.parse(table, origin=f"{recipe.name}, {self.title}")


_WHOLE: Final = {"method": "none"}
_LEAST: Final = {"method": "channels", "by": "sensitivity", "share": 0.33}

WAYS: Final = (
    Way("ptq", "int8 by calibration", _WHOLE),
    Way("qat", "int8 by training", _WHOLE, quantisation="qat"),
    Way("even", "a third of all channels off", {"method": "channels", "share": 0.33}),
    Way("least", "those missed least off", _LEAST),
    Way("clustered", "16 values a layer", _WHOLE, values=16),
    Way("both", "missed least off, 16 values", _LEAST, values=16),
    Way("zeros", "half the weights zero", {"method": "magnitude", "share": 0.5}),
)
"""All but the second in int8 by calibration; the first is what the others are compared with."""


@dataclass(frozen=True)
class Figures:
    """One student made smaller in one way.

    Attributes:
        float_f1: before int8, macro-F1 of the test subjects.
        macro_f1: in int8.
        model_bytes: the compiled model in flash.
        sent_bytes: the bundle, compressed by gzip: what a transfer that can would send.
        ram_bytes: activations, the engine's state, and the stack of one inference.
        instructions: for one window, on the emulated Cortex-M4.
    """

    float_f1: float
    macro_f1: float
    parameters: int
    model_bytes: int
    sent_bytes: int
    ram_bytes: int
    instructions: int


@dataclass(frozen=True)
class Row:
    """A way, over all seeds; people left out in turn are averaged first."""

    way: Way
    float_f1: Summary
    macro_f1: Summary
    mean: Figures


def compare(
    recipe: Recipe,
    seeds: Sequence[int],
    out: Path,
    *,
    data: Path | None,
    quick: bool,
    told: Told,
) -> list[Row]:
    """All ways for all seeds; a row a way. What is done already is kept.

    Raises:
        TinyharError: as the pipeline does; ToolError where no device can be emulated.
    """
    runs = [
        (seed, fold)
        for seed in seeds
        for fold in recipes.folds(recipe.model_copy(update={"seed": seed}))
    ]
    if missing := cortex_m4.missing_tools():
        raise ToolError(f"needed to measure on a device: `sudo apt install {' '.join(missing)}`")
    for way in WAYS:
        way.of(recipe)
    found: dict[tuple[str, int], list[Figures]] = {}
    total = len(runs) * len(WAYS)
    for i, (seed, run) in enumerate(runs):
        for j, way in enumerate(WAYS):
            told(f"{run.name}, seed {seed}: {way.title}", i * len(WAYS) + j, total)
            place = out / f"{run.name}-{seed}"
            made = _made(way, run, place, data=data, quick=quick)
            found.setdefault((way.name, seed), []).append(made)
    told("done", total, total)
    return [_row(way, [found[way.name, seed] for seed in seeds]) for way in WAYS]


def _made(way: Way, run: Recipe, place: Path, *, data: Path | None, quick: bool) -> Figures:
    from tinyhar.pipeline.run import advance, stage_keys
    from tinyhar.recipe import quick as shortened

    changed = way.of(run)
    folder, first = RunFolder(place / way.name), RunFolder(place / WAYS[0].name)
    keys = stage_keys(shortened(changed) if quick else changed, quick=quick)
    try:
        saved = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
        if saved["key"] == keys["convert"]:
            return Figures(**saved["figures"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    if way is not WAYS[0] and folder.facts(TRAINED[-1], keys[TRAINED[-1]]) is None:
        folder.adopt(first, [stage for stage in TRAINED if first.facts(stage, keys[stage])])
    facts = advance(changed, folder.root, until="convert", data=data, quick=quick)
    figures = _figures(folder, facts)
    folder.write_text(
        FIGURES, json.dumps({"key": keys["convert"], "figures": asdict(figures)}, indent=1)
    )
    return figures


def _figures(folder: RunFolder, facts: dict[str, dict[str, Any]]) -> Figures:
    from tinyhar.evaluate.metrics import macro_f1
    from tinyhar.pipeline.prepare import read

    data = read(folder)
    truth, classes = data.y[data.side("test")], len(data.classes)
    cost = budget.cost_of(folder.root.name, (folder / INT8).read_bytes())
    return Figures(
        float_f1=macro_f1(truth, facts["prune"]["predicted"], classes=classes),
        macro_f1=macro_f1(truth, facts["quantise"]["predicted"], classes=classes),
        parameters=facts["prune"]["parameters"],
        model_bytes=facts["convert"]["payload_bytes"],
        sent_bytes=gzip_bytes((folder / BUNDLE).read_bytes()),
        ram_bytes=cost.ram_bytes,
        instructions=cost.instructions,
    )


def _row(way: Way, by_seed: list[list[Figures]]) -> Row:
    every = [figures for seed in by_seed for figures in seed]
    means = {name: fmean(getattr(f, name) for f in every) for name in Figures.__annotations__}
    f1s = {
        name: summary([fmean(getattr(f, name) for f in seed) for seed in by_seed])
        for name in ("float_f1", "macro_f1")
    }
    mean: dict[str, Any] = {n: v if n in f1s else round(v) for n, v in means.items()}
    return Row(way, f1s["float_f1"], f1s["macro_f1"], Figures(**mean))


HEADER: Final = (
    *("way", "parameters", "model", "sent", "RAM", "instructions", "float F1", "int8 F1"),
)


def cells(rows: Iterable[Row]) -> list[tuple[str, ...]]:
    """A line a way, for people; bytes and instructions are means."""
    return [
        (
            row.way.title,
            f"{row.mean.parameters:,}",
            f"{row.mean.model_bytes:,}",
            f"{row.mean.sent_bytes:,}",
            f"{row.mean.ram_bytes:,}",
            f"{row.mean.instructions:,}",
            _told(row.float_f1),
            _told(row.macro_f1),
        )
        for row in rows
    ]


def _told(score: Summary) -> str:
    return f"{score.mean:.4f}" + (f" ± {score.std:.4f}" if score.n > 1 else "")


def as_csv(rows: Iterable[Row]) -> str:
    """For machines."""
    text = io.StringIO()
    names = [*Figures.__annotations__]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["way", "title", *names, "macro_f1_std", "seeds", "version"])
    for row in rows:
        values = [getattr(row.mean, name) for name in names]
        more = [row.macro_f1.std, row.macro_f1.n, tinyhar.__version__]
        writer.writerow([row.way.name, row.way.title, *values, *more])
    return text.getvalue()
