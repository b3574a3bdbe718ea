"""Does the band compute what the desk computed? Windows go out, logits come back, bytes decide."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tinyhar.band import messages as m
from tinyhar.band.client import Client
from tinyhar.band.clock import Clock, Latency
from tinyhar.band.codes import Engine, name_of
from tinyhar.band.errors import OtherModel
from tinyhar.band.locate import DeskLayers, Place, locate
from tinyhar.errors import DataError, ModelError
from tinyhar.evaluate.metrics import macro_f1

Int8 = npt.NDArray[np.int8]

MOST_TRACED: Final = 5
"""Mismatched windows that are traced through the layers; a defect shows in the first."""


@dataclass(frozen=True)
class Mismatch:
    """A window whose answer differs: where it differs first, in the answer and in the model.

    ``expected`` and ``got`` are logit number ``logit``; ``layer`` and ``channel`` are empty where
    the band or the desk cannot look inside.
    """

    window: int
    subject: str
    logit: int
    expected: int
    got: int
    layer: str = ""
    channel: str = ""

    def __str__(self) -> str:
        where = f", first at {self.layer}" if self.layer else ""
        where += f", channel {self.channel}" if self.channel else ""
        worn = f" of subject {self.subject}" if self.subject else ""
        return (
            f"window {self.window}{worn}: logit {self.logit} is {self.got}, "
            f"expected {self.expected}{where}"
        )


@dataclass(frozen=True)
class ValidationReport:
    """What a band answered to ``windows`` windows, ``equal`` of them byte for byte as the desk.

    ``answers`` is int64 [n], the class of each window; macro-F1 counts every class of the model.
    Instructions are None where the band's clock does not count them.
    """

    board: str
    engine: str
    bundle_id: str
    windows: int
    equal: int
    macro_f1_device: float
    macro_f1_desk: float
    seconds: float
    latency_ms: Latency
    instructions_per_window: int | None
    instructions_max: int | None
    retries: int
    mismatches: tuple[Mismatch, ...]
    answers: npt.NDArray[np.int64]

    @property
    def agreement(self) -> float:
        """Share of windows with equal bytes, 0..1."""
        return self.equal / self.windows

    @property
    def windows_per_second(self) -> float:
        """Over the line, from the first request to the last answer."""
        return self.windows / self.seconds

    @property
    def good(self) -> bool:
        """Every byte is equal."""
        return self.equal == self.windows

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and strings, for a machine to read."""
        plain = asdict(self)
        del plain["answers"]
        derived = {
            "agreement": self.agreement,
            "windows_per_second": self.windows_per_second,
            "verdict": "equal" if self.good else "different",
        }
        return plain | derived


def check_model(client: Client, bundle_id: bytes) -> None:
    """OtherModel unless the band runs the bundle of this identity (32 bytes)."""
    theirs = client.identity.bundle_id
    if theirs != bundle_id:
        raise OtherModel(
            f"the band runs another model (bundle {theirs.hex()[:12]}) than the run's "
            f"(bundle {bundle_id.hex()[:12]}): bring it there with `deploy RUN`, go back with "
            "`rollback`, or name the run whose model the band runs"
        )


def validate(
    client: Client,
    counts: m.Counts,
    logits: Int8,
    labels: npt.NDArray[np.int64],
    *,
    subjects: Sequence[str] | npt.NDArray[np.str_] | None = None,
    bundle_id: bytes | None = None,
    desk_layers: DeskLayers | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> ValidationReport:
    """Send windows to a band and compare its logits with the desk's, byte for byte.

    Args:
        client: the band.
        counts: int16 [n, time, channel].
        logits: int8 [n, classes], the desk's.
        labels: int64 [n], what was really done.
        subjects: [n], who did it.
        bundle_id: 32 bytes; where given, the band must run this bundle.
        desk_layers: the desk's layers for one window, to name the layer that differs.
        progress: called with the number of windows done.

    Raises:
        OtherModel: the band runs another bundle.
        DataError: arrays that do not belong together.
        BandError: the band fell silent, restarted, refused, or its port went away.
    """
    client.require_model()
    if bundle_id is not None:
        check_model(client, bundle_id)
    _check(client, counts, logits, labels)
    retries = client.exchange.retries
    results, seconds = _ask(client, counts, progress)
    client.identify()  # a restart that nobody announced ends here
    got = _logits_of(results, logits.shape[1])
    answers = np.array([result.class_index for result in results], np.int64)
    wrong = np.flatnonzero((got != logits).any(axis=1) | (answers != logits.argmax(axis=1)))
    places = _trace(client, counts, wrong[:MOST_TRACED], desk_layers)
    who = [""] * len(counts) if subjects is None else [str(subject) for subject in subjects]
    ticks = np.array([result.ticks for result in results], np.int64)
    clock = Clock.of(client.identity)
    return ValidationReport(
        board=client.identity.board,
        engine=name_of(Engine, client.identity.engine),
        bundle_id=client.identity.bundle_id.hex(),
        windows=len(counts),
        equal=len(counts) - len(wrong),
        macro_f1_device=macro_f1(labels, answers, classes=logits.shape[1]),
        macro_f1_desk=macro_f1(labels, logits.argmax(axis=1), classes=logits.shape[1]),
        seconds=seconds,
        latency_ms=clock.latency(ticks),
        instructions_per_window=clock.instructions(float(ticks.mean())),
        instructions_max=clock.instructions(int(ticks.max())),
        retries=client.exchange.retries - retries,
        mismatches=tuple(
            _mismatch(int(i), who[i], logits[i], got[i], places.get(int(i))) for i in wrong
        ),
        answers=answers,
    )


def _check(client: Client, counts: m.Counts, logits: Int8, labels: npt.NDArray[np.int64]) -> None:
    if not len(counts) or not len(counts) == len(logits) == len(labels):
        raise DataError(
            f"{len(counts)} windows, {len(logits)} rows of logits and {len(labels)} labels: "
            "they must be as many, and at least one"
        )
    if logits.dtype != np.int8 or logits.shape[1:] != (client.identity.classes,):
        raise OtherModel(
            f"the band has {client.identity.classes} classes, the logits are {logits.dtype} "
            f"{list(logits.shape)}: they are not of one model"
        )


def _ask(
    client: Client, counts: m.Counts, progress: Callable[[int], None]
) -> tuple[list[m.InferResult], float]:
    results = []
    start = time.perf_counter()
    for result in client.infer_many(counts):
        results.append(result)
        progress(len(results))
    return results, time.perf_counter() - start


def _logits_of(results: Sequence[m.InferResult], classes: int) -> Int8:
    joined = b"".join(result.logits for result in results)
    return np.frombuffer(joined, np.int8).reshape(len(results), classes)


def _trace(
    client: Client, counts: m.Counts, wrong: npt.NDArray[np.intp], desk_layers: DeskLayers | None
) -> dict[int, Place]:
    """Where in the model each of these windows goes another way."""
    if desk_layers is None or not client.identity.layers:
        return {}
    try:
        places = {int(i): locate(client, counts[i], desk_layers) for i in wrong}
    except (DataError, ModelError) as error:  # the verdict stands without the layer
        places = {int(i): Place(f"a layer that cannot be named: {error}") for i in wrong[:1]}
    return {i: place for i, place in places.items() if place}


def _mismatch(
    window: int, subject: str, expected: Int8, got: Int8, place: Place | None
) -> Mismatch:
    differ = np.flatnonzero(expected != got)
    logit = int(differ[0]) if len(differ) else int(expected.argmax())
    layer, channel = (place.layer, place.channel) if place else ("", "")
    return Mismatch(window, subject, logit, int(expected[logit]), int(got[logit]), layer, channel)
