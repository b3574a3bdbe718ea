"""What a band senses and how to read it: its channels, what a count is worth, what a logit is.

A band tells its channels, classes and rate over the line, but not what a count or a logit is worth:
that is in the bundle of the run that it was built from. An emulated band of this machine leads to
its run by itself; for others name the run, else the usual scales are assumed and said to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyhar.band.client import Client
from tinyhar.band.codes import What
from tinyhar.band.desk import BUNDLE, read_bundle
from tinyhar.band.messages import Identity
from tinyhar.band.movement import UNITS
from tinyhar.band.running import running
from tinyhar.band.validate import check_model
from tinyhar.counts import COUNTS, FULL_SCALE
from tinyhar.errors import DataError, TinyharError

USUAL_LOGIT: Final = 0.1
"""What a step of a logit is taken for where no bundle tells. (ours: of the order of all models')"""


@dataclass(frozen=True, eq=False)
class Sensing:
    """A band's sensor and the words of its answers.

    ``lsb`` is float64 [channel], a count's worth in SI units; ``logit`` what a step of a logit is
    worth; ``assumed`` that both were not told but taken as usual.
    """

    identity: Identity
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    lsb: npt.NDArray[np.float64]
    logit: float
    assumed: bool

    @property
    def rate(self) -> float:
        """Samples a second."""
        return self.identity.rate_mhz / 1000

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kind of each channel: "acc", "gyro", ..."""
        return tuple(parts(name)[1] for name in self.channels)

    @property
    def full_scale(self) -> dict[str, float]:
        """What the largest count stands for, in SI units by kind."""
        return {k: float(v) * COUNTS for k, v in zip(self.kinds, self.lsb, strict=True)}

    def shares(self, logits: bytes) -> npt.NDArray[np.float64]:
        """Softmax of the dequantised logits, float64 [classes], of a prediction's bytes."""
        values = np.frombuffer(logits, np.int8) * self.logit
        powers = np.exp(values - values.max())
        return np.asarray(powers / powers.sum())


def parts(channel: str) -> tuple[str, str, str]:
    """Position, kind and axis of a channel's name; DataError for a name without all three."""
    found = channel.rsplit("_", 2)
    if len(found) != 3:
        raise DataError(f"channel {channel!r} of the band is not named POSITION_KIND_AXIS")
    return found[0], found[1], found[2]


def sensing_of(
    client: Client, run: Path | None = None, full_scale: Mapping[str, float] | None = None
) -> Sensing:
    """What the band at the other end senses.

    Args:
        client: the band.
        run: the run that it was built from; None looks for it on this machine.
        full_scale: without a run, what the largest count stands for, in SI units by kind.

    Raises:
        BandError: the band has no model, or runs another than the run's.
        DataError: the run cannot be read, or a kind has no known full scale.
    """
    client.require_model()
    classes, channels = client.names(What.CLASS_NAME), client.names(What.CHANNEL_NAME)
    run = run or home_of(client)
    if run is not None and full_scale:
        raise DataError(f"{run} knows its band's full scales: leave out the ranges")
    if run is not None:
        bundle, bundle_id = read_bundle(run)
        check_model(client, bundle_id)
        return Sensing(
            client.identity, classes, channels, bundle.lsb, bundle.output_scale, assumed=False
        )
    known = {**FULL_SCALE, **(full_scale or {})}
    kinds = [parts(name)[1] for name in channels]
    for name, kind in zip(channels, kinds, strict=True):
        if kind not in known:
            raise DataError(f"no full scale is known for {name}; name the band's run with --run")
    lsb = np.array([known[kind] / COUNTS for kind in kinds])
    return Sensing(client.identity, classes, channels, lsb, USUAL_LOGIT, assumed=True)


def home_of(client: Client) -> Path | None:
    """The run of an emulated band of this machine, when it still holds the band's bundle."""
    for band in running():
        if band.url == client.exchange.link.name:
            for folder in list(Path(band.image).parents)[:3]:
                if (folder / BUNDLE).is_file() and _is_of(client, folder):
                    return folder
    return None


def _is_of(client: Client, run: Path) -> bool:
    with suppress(TinyharError):
        return read_bundle(run)[1] == client.identity.bundle_id
    return False


def in_words(full_scale: Mapping[str, float]) -> str:
    """Full scales as people say them: "acc ±8 g, gyro ±2000 deg/s"."""
    told = []
    for kind, value in full_scale.items():
        one, unit = UNITS.get(kind, (1.0, "in SI units"))
        told.append(f"{kind} ±{value / one:.6g} {unit}")
    return ", ".join(told)
