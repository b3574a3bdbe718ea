"""Teaching on the band, on the desk: class means in the model's embedding, with the band's bytes.

The embedding is what the model's last layer reads. A bundle brings how embeddings of one class vary
(the inverse of their common covariance, scaled to int8) and each class's mean; what a wearer shows
the band gives further means. The class whose mean is nearest, measured in that variation, wins: a
linear discriminant in closed form, all in integers. firmware/src/teaching.c is the other half.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert import integer
from tinyhar.convert.bundle_format import BundleError
from tinyhar.convert.graph import Graph
from tinyhar.errors import ModelError

Int8 = NDArray[np.int8]
Int64 = NDArray[np.int64]

MOST_EMBEDDING: Final = 256
"""Values of an embedding: what a band's sums hold."""
LARGEST_SHIFT: Final = 62
BEST: Final = 127
"""The nearest class's logit."""
LINEAR: Final = ("FULLY_CONNECTED", "CONV_2D")

_HEAD: Final = struct.Struct("<bBH")
_WORST: Final = 128


@dataclass(frozen=True, eq=False)
class Teaching:
    """What a bundle brings so that its band can be taught.

    Attributes:
        zero_point: of the embedding.
        shift: 1 to 62; a distance times `multiplier`, shifted right so far, is steps of a logit.
        multiplier: 0 to 65535.
        precision: int8 [d, d], symmetric.
        means: int8 [classes, d].
    """

    zero_point: int
    shift: int
    multiplier: int
    precision: Int8 = field(repr=False)
    means: Int8 = field(repr=False)

    def __post_init__(self) -> None:
        size = self.means.shape[-1]
        for name, ok, problem in (
            ("embedding", 1 <= size <= MOST_EMBEDDING, f"{size} values, not 1 to {MOST_EMBEDDING}"),
            (
                "precision",
                self.precision.shape == (size, size)
                and bool((self.precision == self.precision.T).all()),
                "is not square and symmetric",
            ),
            ("multiplier", 0 <= self.multiplier <= 0xFFFF, f"{self.multiplier} is no u16"),
            ("teaching", 1 <= self.shift <= LARGEST_SHIFT, f"shift {self.shift} is out of range"),
            ("zero_point", -128 <= self.zero_point <= 127, f"{self.zero_point} is no int8"),
        ):
            if not ok:
                raise BundleError(name, problem)

    @property
    def size(self) -> int:
        """Values of an embedding."""
        return int(self.means.shape[1])

    def pack(self) -> bytes:
        """The bundle's section."""
        triangle = self.precision[np.tril_indices(self.size)]
        head = _HEAD.pack(self.zero_point, self.shift, self.multiplier)
        return head + triangle.tobytes() + self.means.tobytes()

    def logits(self, x: Int8, means: Int8) -> Int8:
        """Logits int8 [n, k] of embeddings int8 [n, d] for means int8 [k, d]; the nearest has 127.

        Ties in steps go to the first class, as everywhere on a band.
        """
        scores = self.scores(x, means)
        behind = scores.max(axis=1, keepdims=True) - scores
        steps = (behind * self.multiplier + (1 << (self.shift - 1))) >> self.shift
        return np.maximum(BEST - steps, -_WORST).astype(np.int8)

    def scores(self, x: Int8, means: Int8) -> Int64:
        """How near each mean is, int64 [n, k]: differences in a row are differences of distance."""
        centred = means.astype(np.int64) - self.zero_point
        precision = self.precision.astype(np.int64)
        norms = ((centred @ precision) * centred).sum(axis=1)
        return 2 * ((x.astype(np.int64) - self.zero_point) @ precision @ centred.T) - norms

    def mean(self, shown: Int8, samples: int, window: int, known: Int8 | None) -> Int8:
        """The mean int8 [d] of embeddings int8 [n, d], n at least 1.

        Args:
            shown: of a class's windows.
            samples: from the first window's begin to the last one's end.
            window: samples of a window.
            known: what the bundle knows of the class, weighed as one window; None: nothing.
        """
        n, above = len(shown), shown.astype(np.int64).sum(axis=0) + _WORST * len(shown)
        if known is None:
            return ((above + n // 2) // n - _WORST).astype(np.int8)
        whole = n * (samples + window)
        total = samples * above + n * window * (known.astype(np.int64) + _WORST)
        return ((total + whole // 2) // whole - _WORST).astype(np.int8)


def unpack(section: bytes, size: int, classes: int, source: str = "bundle") -> Teaching:
    """A bundle's section of embeddings of `size` values; BundleError where it is out of range."""
    zero_point, shift, multiplier = _HEAD.unpack_from(section)
    if not 1 <= shift <= LARGEST_SHIFT:
        raise BundleError("teaching", f"shift {shift} is out of range", source)
    values = np.frombuffer(section, np.int8, offset=_HEAD.size)
    count = size * (size + 1) // 2
    lower = np.zeros((size, size), np.int8)
    lower[np.tril_indices(size)] = values[:count]
    precision = lower + np.tril(lower, -1).T
    return Teaching(zero_point, shift, multiplier, precision, values[count:].reshape(classes, size))


def section_bytes(size: int, classes: int) -> int:
    """Of the section for embeddings of `size` values; 0 for none."""
    return _HEAD.size + size * (size + 1) // 2 + classes * size if size else 0


# ---- from a model and its windows ----


def embedding_of(graph: Graph) -> int | None:
    """The tensor that the model's last layer reads, if that is a linear classifier; else None."""
    last = graph.operators[-1]
    while last.kind == "RESHAPE":
        made = [o for o in graph.operators if o.output == last.inputs[0]]
        if not made:
            return None
        last = made[0]
    source = graph.tensors[last.inputs[0]]
    flat = last.kind in LINEAR and source.size == source.shape[-1]
    return source.index if flat and source.size <= MOST_EMBEDDING else None


def embeddings(graph: Graph, x: Int8, tensor: int) -> Int8:
    """Embeddings int8 [n, d] of quantised windows int8 [n, *input shape without batch]."""
    parts = [
        integer.layers(graph, x[i : i + integer.CHUNK])[tensor].reshape(-1, _size(graph, tensor))
        for i in range(0, len(x), integer.CHUNK)
    ]
    return np.concatenate(parts) if parts else np.empty((0, _size(graph, tensor)), np.int8)


def _size(graph: Graph, tensor: int) -> int:
    return graph.tensors[tensor].size


def fit_teaching(
    x: Int8, y: Int64, classes: int, *, zero_point: int, output_scale: float, shrinkage: float = 0.2
) -> Teaching:
    """What embeddings of the training people's windows say of classes and of how one varies.

    Args:
        x: int8 [n, d].
        y: int64 [n], each of `classes` at least once.
        classes: how many there are.
        zero_point: of the embedding.
        output_scale: of the model's logits: what a step of a taught logit is worth, too.
        shrinkage: this share of the mean variance is added to each value's own.

    Raises:
        ModelError: a class without windows.
    """
    there = np.bincount(y, minlength=classes)
    if not there.all():
        raise ModelError(f"class {int(there.argmin())} has no window to take a mean of")
    values = x.astype(np.float64)
    means = np.stack([values[y == k].mean(axis=0) for k in range(classes)])
    rest = values - means[y]
    covariance = rest.T @ rest / len(rest)
    size = len(covariance)
    ridge = max(shrinkage * np.trace(covariance) / size, 1e-3)
    inverse = np.linalg.inv(covariance + ridge * np.eye(size))
    worth = np.abs(inverse).max() / 127
    precision = np.rint((inverse + inverse.T) / 2 / worth).astype(np.int8)
    rounded = np.rint(means).astype(np.int8)
    draft = Teaching(zero_point, 1, 0, precision, rounded)
    warmth = _temperature(draft, x, y, worth)
    # A distance d (twice the log-density's difference) is d * worth / 2 nats.
    multiplier, shift = _as_ratio(worth / 2 / warmth / output_scale)
    return Teaching(zero_point, shift, multiplier, precision, rounded)


def _temperature(teaching: Teaching, x: Int8, y: Int64, worth: float) -> float:
    """What the log-densities are divided by so that they are no surer than they are right."""
    nats = teaching.scores(x, teaching.means) * (worth / 2)
    tried = 2.0 ** np.arange(0, 8.5, 0.5)
    return float(tried[int(np.argmin([_surprise(nats / t, y) for t in tried]))])


def _surprise(nats: NDArray[np.float64], y: Int64) -> float:
    top = nats.max(axis=1, keepdims=True)
    total = np.log(np.exp(nats - top).sum(axis=1)) + top[:, 0]
    return float((total - nats[np.arange(len(y)), y]).mean())


def _as_ratio(factor: float) -> tuple[int, int]:
    """(multiplier, shift) of a factor as multiplier / 2**shift, 16 bits where the shift allows."""
    _mantissa, exponent = np.frexp(factor)
    shift = int(np.clip(16 - exponent, 1, LARGEST_SHIFT))
    return min(round(factor * 2.0**shift), 0xFFFF), shift
