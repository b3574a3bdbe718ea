"""The run that a personal model starts from: its student, its windows and its int8 answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tf_keras as keras
from numpy.typing import NDArray

from tinyhar import recipe as recipes
from tinyhar.band.desk import INT8
from tinyhar.convert import integer
from tinyhar.convert.graph import Graph, read_graph
from tinyhar.counts import CountMap
from tinyhar.distill import Augment, AugmentConfig, Examples
from tinyhar.errors import DataError
from tinyhar.personal.merge import GONE
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.learn import PRUNED, count_map
from tinyhar.pipeline.prepare import Prepared, read
from tinyhar.pipeline.trainer import clip_of, load
from tinyhar.recipe import Recipe

MAKERS = (("quantise", "prune", "prepare"), ("personal",))
"""Stages that leave a student with its windows: of a run from recordings, and of a personal one."""


@dataclass(frozen=True, eq=False)
class Int8:
    """An int8 model that answers in the band's own integers."""

    graph: Graph
    count_map: CountMap

    @classmethod
    def of(cls, tflite: bytes, data: Prepared) -> Int8:
        """A model for windows that are normalised as `data` is."""
        return cls(read_graph(tflite), count_map(tflite, data))

    def logits(self, counts: NDArray[np.int16]) -> NDArray[np.float64]:
        """Logits float64 [n, classes] of windows of counts int16 [n, time, channel]."""
        output = self.graph.tensors[self.graph.output]
        if not len(counts):
            return np.empty((0, int(output.shape[-1])))
        answers = integer.run(self.graph, self.count_map.apply(counts)[:, np.newaxis])
        return (answers.astype(np.float64) - output.zero_point) * output.scale

    def steps(self, logit: float) -> int:
        """The least int8 value that is not below a logit."""
        output = self.graph.tensors[self.graph.output]
        return int(np.clip(math.ceil(logit / output.scale) + output.zero_point, -128, 127))


@dataclass(frozen=True, eq=False)
class Base:
    """A finished run to start from.

    Attributes:
        learned_from: prints of the recordings that it was taught from, if it is a personal run.
    """

    root: Path
    recipe: Recipe
    data: Prepared
    clip: float
    int8: Int8
    learned_from: tuple[str, ...] = ()

    def student(self) -> keras.Model:
        """Its float student, fresh from the file."""
        return load(RunFolder(self.root), PRUNED)

    def inputs(self, counts: NDArray[np.int16]) -> NDArray[np.float32]:
        """Counts int16 [n, time, channel] as the float student sees them [n, 1, time, channel]."""
        units = (counts * self.data.lsb).astype(np.float32)
        return self.data.normalisation.apply(units)[:, np.newaxis]

    def others(self, numbers: NDArray[np.int64], side: str = "train") -> Examples:
        """Its windows of the classes that have a number, labelled by it; see `Merged.rehearsed`."""
        which = np.flatnonzero(self.data.side(side))
        y = numbers[self.data.y[which]]
        kept = y != GONE
        return Examples(self.data.inputs(which[kept]), y[kept])

    def augment(self, rotation: float) -> Augment:
        """Its own augmentation by half, turned by `rotation` degrees at most: for one wearer."""
        table, data = self.recipe.augmentation, self.data
        config = AugmentConfig(
            rotation=min(rotation, table.rotation),
            noise=table.noise,
            scale=table.scale / 2,
            warp=table.warp / 2,
        )
        return Augment(config, data.channels, data.normalisation.mean, data.normalisation.std)


def open_base(root: Path) -> Base:
    """The run in a folder, which `tinyhar run` or `tinyhar personal fit` has made.

    Raises:
        DataError: no run folder, one that is not finished, a missing or damaged file.
    """
    folder = RunFolder(root)
    if not (folder / "recipe.toml").is_file():
        raise DataError(f"{root}: no run folder, it has no recipe.toml; name one of tinyhar run's")
    recipe = recipes.load(folder / "recipe.toml")
    personal = folder.facts("personal")
    _check(folder, MAKERS[0] if personal is None else MAKERS[1])
    data = read(folder)
    int8 = Int8.of((folder / INT8).read_bytes(), data)
    learned_from = tuple((personal or {}).get("taught", ()))
    return Base(root, recipe, data, clip_of(recipe, data), int8, learned_from)


def _check(folder: RunFolder, stages: tuple[str, ...]) -> None:
    for stage in stages:
        if folder.facts(stage) is None:
            raise DataError(f"{folder.root}: stage '{stage}' is not done; finish this run first")
        if damaged := folder.damaged(stage):
            raise DataError(f"{folder / damaged[0]}: missing or damaged; make this run again")
