"""What one run has to tell, as plain typed parts, for report.html and metrics.json alike.

A part that a run does not have is a `Missing` with the reason, never left out silently: the
report prints the reason where the part would stand, and metrics.json holds nulls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.evaluate.attention import ClassAttention
from tinyhar.evaluate.cost import StepCost
from tinyhar.evaluate.metrics import Evaluation


@dataclass(frozen=True)
class Missing:
    """A part that this run does not have, and why: one sentence for the reader."""

    why: str


@dataclass(frozen=True)
class Side:
    """One side of the split: whole people, and their windows of each class (in class order)."""

    subjects: tuple[str, ...]
    windows: tuple[int, ...]


@dataclass(frozen=True)
class DataReport:
    """What the run was fed: windows of `window` samples every `stride`, at `rate` Hz.

    `channels` are names as `Channel.name` gives them (position_kind_axis), `units` their units.
    `synthetic` labels every figure of the report as not measured on people; `left_out` are the
    sessions that lacked a sensor, a sentence each; `borrowed` of the training windows were worn at
    other positions.
    """

    name: str
    title: str
    synthetic: bool
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    units: tuple[str, ...]
    window: int
    stride: int
    rate: float
    train: Side
    validation: Side
    test: Side
    homepage: str = ""
    left_out: tuple[str, ...] = ()
    borrowed: int = 0
    borrowed_from: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """One window to look at: `signal` float[time, channel] in the channels' units."""

    activity: str
    subject: str
    signal: NDArray[np.float32]


@dataclass(frozen=True)
class Curve:
    """How one training went: a value an epoch in each list; empty lists were not recorded.

    `best_epoch` counts from 1 and is the epoch whose weights were kept.
    """

    name: str
    loss: tuple[float, ...]
    validation_f1: tuple[float, ...] = ()
    best_epoch: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class TeacherReport:
    """The teacher (or whatever large model taught), on the unseen subjects.

    `latency_ms` is one window's on the desk, in float, as the student's. `attention` is where it
    looks, if its architecture can tell. `channels` are those that it sees;
    none: the band's. `views` judges each of its representations by its own classifier, `without`
    the whole teacher when the sensors of one position show nothing.
    """

    name: str
    evaluation: Evaluation
    parameters: int
    macs: int | None = None
    attention: ClassAttention | None = None
    latency_ms: float | None = None
    channels: tuple[str, ...] = ()
    views: Mapping[str, Evaluation] = field(default_factory=dict)
    without: Mapping[str, Evaluation] = field(default_factory=dict)


@dataclass(frozen=True)
class HeadReport:
    """A classifier that competed on the student's backbone: its share, and the student's cost.

    `parameters` and `macs` are the whole student's with this head; `deployable` says whether a
    band's engine has its operators, `chosen` whether it stayed.
    """

    kind: str
    share: float
    parameters: int
    macs: int
    deployable: bool
    chosen: bool


@dataclass(frozen=True)
class StudentReport:
    """The student as deployed: `parameters` and `macs` are the final model's, one window.

    `latency_ms` is one window's on the desk, in float, where there was a teacher to compare with.
    `flash_bytes` is what the model itself takes in the band's flash (the compiled payload),
    `tflite_bytes` the .tflite file, `transfer_bytes` the bundle gzip'd as sent to a band. `heads`
    are the classifiers that competed, if any did, the largest share first.
    """

    name: str
    floating: Evaluation | Missing
    int8: Evaluation | Missing
    parameters: int
    macs: int
    flash_bytes: int
    tflite_bytes: int | None = None
    transfer_bytes: int | None = None
    steps: tuple[StepCost, ...] = ()
    heads: tuple[HeadReport, ...] = ()
    latency_ms: float | None = None


@dataclass(frozen=True)
class DeviceReport:
    """What the band answered: `equal` of `windows` gave the desk's logits byte for byte.

    `first_mismatch` says which window, channel and layer differed first; `latency_ms` is one
    window's, with `latency_note` saying whose clock that is.
    """

    board: str
    engine: str
    windows: int
    equal: int
    evaluation: Evaluation | Missing
    instructions_per_window: int | None = None
    latency_ms: float | None = None
    latency_note: str = ""
    windows_per_second: float | None = None
    first_mismatch: str = ""

    @property
    def agreement(self) -> float:
        """Share of windows with equal bytes, 0..1."""
        return self.equal / self.windows if self.windows else 0.0


@dataclass(frozen=True)
class MemoryPart:
    """One part of the firmware image (engine, core, port, model, ...) in bytes."""

    name: str
    flash_bytes: int
    ram_bytes: int
    note: str = ""


@dataclass(frozen=True)
class MemoryReport:
    """Flash and RAM of the image built for `board`, by part, from the linker's map."""

    board: str
    parts: tuple[MemoryPart, ...]


@dataclass(frozen=True)
class AgreementRow:
    """One engine on one board (or on the desk) against the desk's reference, by bytes."""

    engine: str
    board: str
    windows: int
    equal: int
    note: str = ""


@dataclass(frozen=True)
class Provenance:
    """What it takes to do the run again; `created` is a date as text, hashes are SHA-256."""

    recipe_name: str = ""
    recipe: str = ""
    created: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    seeds: Mapping[str, int] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FileEntry:
    """A file of the run folder: `path` relative to it, what it is for, its size if known."""

    path: str
    purpose: str
    bytes: int | None = None


@dataclass(frozen=True)
class RunReport:
    """Everything the report shows. `quick` marks a run on a sliver of the data."""

    title: str
    data: DataReport
    teacher: TeacherReport | Missing = Missing("No teacher was trained.")
    student: StudentReport | Missing = Missing("No student was trained.")
    device: DeviceReport | Missing = Missing("No band has answered yet.")
    memory: MemoryReport | Missing = Missing("No firmware was built.")
    examples: tuple[Example, ...] = ()
    curves: tuple[Curve, ...] = ()
    agreement: tuple[AgreementRow, ...] = ()
    provenance: Provenance = Provenance()
    files: tuple[FileEntry, ...] = ()
    quick: bool = False

    def __post_init__(self) -> None:
        k, c = len(self.data.classes), len(self.data.channels)
        for side in (self.data.train, self.data.validation, self.data.test):
            _expect("windows of a side of the split", len(side.windows), k, "classes")
        for what, evaluation in evaluations(self).items():
            _expect(f"rows of the {what} confusion matrix", len(evaluation.confusion), k, "classes")
        for example in self.examples:
            _expect(f"columns of {example.activity}", example.signal.shape[1], c, "channels")
        _expect("units", len(self.data.units), c, "channels")
        if not isinstance(self.teacher, Missing) and self.teacher.attention is not None:
            attention, seen = self.teacher.attention, len(self.teacher.channels) or c
            _expect("rows of attention", len(attention.windows), k, "classes")
            if attention.sensor is not None:
                _expect("columns of sensor attention", attention.sensor.shape[1], seen, "channels")


def evaluations(report: RunReport) -> dict[str, Evaluation]:
    """Every model that was judged on the unseen subjects, in the order the report shows them."""
    teacher, student, device = report.teacher, report.student, report.device
    found = {
        "teacher": None if isinstance(teacher, Missing) else teacher.evaluation,
        "float": None if isinstance(student, Missing) else student.floating,
        "int8": None if isinstance(student, Missing) else student.int8,
        "device": None if isinstance(device, Missing) else device.evaluation,
    }
    return {name: one for name, one in found.items() if isinstance(one, Evaluation)}


def _expect(what: str, got: int, wanted: int, of: str) -> None:
    if got != wanted:
        raise DataError(f"report: {got} {what}, but the run has {wanted} {of}")
