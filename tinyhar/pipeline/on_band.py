"""What a band must know to be taught, from a run's model and training windows; and what it learns.

The band's arithmetic is `tinyhar.convert.teaching`; here it is given a run's windows.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert.graph import Graph
from tinyhar.convert.teaching import Int8, Teaching, embedding_of, embeddings, fit_teaching
from tinyhar.counts import CountMap
from tinyhar.pipeline.prepare import Prepared

ENOUGH: Final = 2000
"""Training windows, about, that means and variation of the embeddings are taken from."""


def teachable(graph: Graph, data: Prepared, count_map: CountMap) -> Teaching | None:
    """How the band can be taught classes; None: the model's end does not allow it."""
    tensor = embedding_of(graph)
    if tensor is None:
        return None
    train, classes = np.flatnonzero(data.side("train")), len(data.classes)
    each = [train[data.y[train] == k] for k in range(classes)]
    chosen = np.concatenate([of[:: max(1, len(of) * classes // ENOUGH)] for of in each])
    return fit_teaching(
        embeddings(graph, data.quantised(chosen, count_map), tensor),
        data.y[chosen],
        classes,
        zero_point=graph.tensors[tensor].zero_point,
        output_scale=graph.tensors[graph.output].scale,
    )


def seen(graph: Graph, count_map: CountMap, counts: NDArray[np.int16]) -> Int8:
    """Embeddings int8 [n, d] of windows of counts int16 [n, time, channel]."""
    tensor = embedding_of(graph)
    assert tensor is not None  # teachable() said so
    return embeddings(graph, count_map.apply(counts)[:, np.newaxis], tensor)


def taught_means(
    teaching: Teaching,
    shown: Int8,
    y: NDArray[np.int64],
    samples: NDArray[np.int64],
    window: int,
) -> Int8:
    """Every class's mean int8 [classes, d] after a wearer showed some.

    Args:
        teaching: what the bundle knows of the first classes.
        shown: embeddings int8 [n, d] of the wearer's windows.
        y: int64 [n], their classes; those that the bundle does not know come behind the others.
        samples: int64 [classes], how long each was shown.
        window: samples of a window.
    """
    own = len(teaching.means)
    means = list(teaching.means) + [np.zeros(teaching.size, np.int8)] * (len(samples) - own)
    for k in np.unique(y):
        known = teaching.means[k] if k < own else None
        means[k] = teaching.mean(shown[y == k], int(samples[k]), window, known)
    return np.stack(means)
