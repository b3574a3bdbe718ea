"""A finished run's int8 model, checked and ready to answer the band's own way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tinyhar import recipe as recipes
from tinyhar.band.desk import INT8
from tinyhar.convert import integer
from tinyhar.convert.graph import Graph, read_graph
from tinyhar.counts import CountMap, to_counts
from tinyhar.errors import DataError
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.learn import count_map
from tinyhar.pipeline.prepare import Prepared, read
from tinyhar.pipeline.run import STAGES, TEACH
from tinyhar.recipe import Recipe

NEEDED: Final = "quantise"
"""The last stage that must be done: the int8 model is there."""


@dataclass(frozen=True)
class Finished:
    """A run whose int8 model is whole and answers as it did when the run was made."""

    folder: Path
    recipe: Recipe
    facts: dict[str, Any]
    data: Prepared
    graph: Graph
    count_map: CountMap

    def answers(self, x: NDArray[np.floating]) -> NDArray[np.int64]:
        """Class of each window [n, time, channel] in SI units, as a band would name it.

        Sensor counts, count map, int8 and integer arithmetic, bit for bit.
        """
        return self.of_counts(to_counts(x, self.data.lsb))

    def of_counts(self, counts: NDArray[np.int16]) -> NDArray[np.int64]:
        """The same from sensor counts int16 [n, time, channel]."""
        inputs = self.count_map.apply(counts)[:, np.newaxis]
        answers: NDArray[np.int64] = integer.run(self.graph, inputs).argmax(axis=1)
        return answers


def opened(path: Path) -> Finished:
    """The run in a folder.

    Raises:
        DataError: no run folder, a run that is not finished, a missing or damaged file.
    """
    folder = RunFolder(path)
    if not (folder / "recipe.toml").is_file():
        raise DataError(f"{path}: no run folder, it has no recipe.toml; name one of tinyhar run's")
    recipe = recipes.load(folder / "recipe.toml")
    facts = _facts(folder, recipe)
    data = read(folder)
    try:
        tflite = (folder / INT8).read_bytes()
    except OSError as error:
        raise DataError(f"{folder / INT8}: missing or damaged; run the recipe again") from error
    run = Finished(path, recipe, facts, data, read_graph(tflite), count_map(tflite, data))
    told = facts["quantise"].get("predicted") or facts["convert"]["predicted"]
    if run.of_counts(data.counts[data.side("test")]).tolist() != told:
        raise DataError(
            f"{folder / INT8}: answers otherwise than when the run was made; run the recipe again"
        )
    return run


def _facts(folder: RunFolder, recipe: Recipe) -> dict[str, Any]:
    """Facts of the stages that are done, their files checked."""
    names = [stage.name for stage in STAGES]
    needed = set(names[: names.index(NEEDED) + 1])
    if not recipe.distillation.needs_teacher:
        needed.discard(TEACH)
    found: dict[str, Any] = {}
    if folder.facts("personal") is not None:
        raise DataError(f"{folder.root}: a personal run has no unseen people; name its base run")
    for name in names:
        facts = folder.facts(name)
        if facts is None and name in needed:
            raise DataError(f"{folder.root}: stage '{name}' is not done; finish this run first")
        if facts is not None:
            if damaged := folder.damaged(name):
                raise DataError(f"{folder / damaged[0]}: missing or damaged; run the recipe again")
            found[name] = facts
    return found
