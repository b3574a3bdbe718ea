"""A run that never happened, with figures as plausible as a real one's, for the report's tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tinyhar.evaluate.attention import ClassAttention
from tinyhar.evaluate.cost import StepCost
from tinyhar.evaluate.metrics import Evaluation, evaluate
from tinyhar.evaluate.run_report import (
    AgreementRow,
    Curve,
    DataReport,
    DeviceReport,
    Example,
    FileEntry,
    HeadReport,
    MemoryPart,
    MemoryReport,
    Provenance,
    RunReport,
    Side,
    StudentReport,
    TeacherReport,
)

CLASSES = (
    "WALKING",
    "WALKING_UPSTAIRS",
    "WALKING_DOWNSTAIRS",
    "SITTING",
    "STANDING",
    "LAYING",
)
TEST = ("2", "4", "9", "10", "12", "13", "18", "20", "24")
CHANNELS = tuple(f"waist_{kind}_{axis}" for kind in ("acc", "gyro") for axis in "xyz")
UNITS = ("m/s²",) * 3 + ("rad/s",) * 3


def judged(seed: int, right: float, classes: int, windows: int = 2996) -> Evaluation:
    """Answers that are right with a chance of `right`, else a neighbouring class."""
    rng = np.random.default_rng(seed)
    true = np.random.default_rng(1).integers(0, classes, windows)
    subjects = np.random.default_rng(2).choice(TEST, windows)
    wrong = (true + rng.choice([-1, 1], windows)) % classes
    answers = np.where(rng.random(windows) < right, true, wrong)
    return evaluate(true, answers, list(subjects), classes=classes)


def falling(seed: int, epochs: int, start: float, end: float) -> tuple[float, ...]:
    """A loss or score that goes from `start` to `end` with some noise."""
    rng = np.random.default_rng(seed)
    way = np.exp(-np.arange(epochs) / (epochs / 5))
    return tuple(end + (start - end) * way + rng.normal(0, 0.01, epochs))


def movement(index: int, channels: int) -> np.ndarray:
    """Something between standing still and running, 128 samples at 50 Hz."""
    rng = np.random.default_rng(index)
    time = np.arange(128)[:, None] / 50
    phase = rng.uniform(0, 6.3, channels)
    swing = max(0.0, 4.0 - 1.2 * index) * np.sin(2 * np.pi * (1.4 + 0.3 * index) * time + phase)
    gravity = np.where(np.arange(channels) == index % 3, 9.8, 0.3)
    scale = np.where(np.arange(channels) % 6 < 3, 1.0, 0.5)
    signal = (swing + gravity) * scale + rng.normal(0, 0.2, (128, channels))
    return signal.astype(np.float32)


def looks(classes: int, channels: tuple[str, ...]) -> ClassAttention:
    """Attention that has something to show; the last class has no windows."""
    rng = np.random.default_rng(8)
    sensor = rng.dirichlet(np.full(len(channels), 4.0), classes)
    peaks = np.linspace(10, 110, classes)[:, None]
    temporal = 1 + 3 * np.exp(-(((np.arange(128) - peaks) / 15) ** 2))
    temporal /= temporal.sum(axis=1, keepdims=True)
    sensor[-1], temporal[-1] = np.nan, np.nan
    return ClassAttention(sensor, temporal, (*(400,) * (classes - 1), 0))


def example_run(
    classes: tuple[str, ...] = CLASSES,
    channels: tuple[str, ...] = CHANNELS,
    units: tuple[str, ...] = UNITS,
) -> RunReport:
    """Every part filled in."""
    k = len(classes)
    floating, int8 = judged(3, 0.955, k), judged(4, 0.951, k)
    student = StudentReport(
        name="separable CNN, width 1.0",
        floating=floating,
        int8=int8,
        parameters=12_874,
        macs=271_232,
        flash_bytes=17_412,
        tflite_bytes=29_960,
        transfer_bytes=15_033,
        steps=(
            StepCost("distilled student, float", floating.macro_f1, 21_310, 85_240, "from teacher"),
            StepCost("channels pruned, fine-tuned", 0.9531, 12_874, 51_496, "40 % of channels"),
            StepCost("weights pruned", 0.9524, 12_874, 51_500, "half of the weights are zero"),
            StepCost("int8, quantisation-aware", int8.macro_f1, 12_875, 29_960, ".tflite"),
            StepCost("compiled", int8.macro_f1, 12_876, 17_412, "no flatbuffer, no interpreter"),
        ),
        heads=(
            HeadReport("attention", 0.412, 21_404, 301_118, deployable=False, chosen=False),
            HeadReport("mlp", 0.371, 22_018, 303_552, deployable=True, chosen=True),
            HeadReport("linear", 0.217, 21_310, 300_901, deployable=True, chosen=False),
        ),
    )
    device = DeviceReport(
        board="mps2_an386",
        engine="compiled",
        windows=int8.windows,
        equal=int8.windows,
        evaluation=int8,
        instructions_per_window=812_440,
        latency_ms=12.69,
        latency_note="at 64 MHz, if every instruction took one cycle",
        windows_per_second=41.7,
    )
    return RunReport(
        title="hapt",
        data=DataReport(
            name="hapt",
            title="HAPT, smartphone at the waist, 30 volunteers",
            synthetic=False,
            classes=classes,
            channels=channels,
            units=units,
            window=128,
            stride=64,
            rate=50.0,
            train=Side(tuple(str(s) for s in (1, 3, 5, 6, 7, 8, 11, 14, 15, 16)), (903,) * k),
            validation=Side(("17", "19", "21"), (204,) * k),
            test=Side(TEST, tuple(int(n) for n in int8.confusion.sum(axis=1))),
            homepage="https://archive.ics.uci.edu/dataset/341",
        ),
        teacher=TeacherReport(
            "MobileNetV3-style, 1-D", judged(5, 0.962, k), 187_334, 5_120_448, looks(k, channels)
        ),
        student=student,
        device=device,
        memory=MemoryReport(
            "mps2_an386",
            (
                MemoryPart("engine", 4_812, 64),
                MemoryPart("core", 7_204, 6_912, "framing, window, smoothing"),
                MemoryPart("port", 3_310, 1_180, "UART, SysTick, start-up"),
                MemoryPart("model", 17_412, 5_632, "bundle in flash, arena in RAM"),
                MemoryPart("library", 1_804, 12, "C library"),
                MemoryPart("bundle", 5_252, 16, "labels, scaling"),
                MemoryPart("arena", 0, 4_172, "working memory"),
                MemoryPart("stack", 0, 4_096, "reserved"),
                MemoryPart("alignment", 82, 8),
            ),
        ),
        examples=tuple(
            Example(name, TEST[i % len(TEST)], movement(i, len(channels)))
            for i, name in enumerate(classes)
        ),
        curves=(
            Curve(
                "teacher",
                falling(1, 40, 1.6, 0.11),
                falling(3, 40, 0.35, 0.951),
                33,
                412.0,
            ),
            Curve(
                "student, distilled",
                falling(4, 60, 2.2, 0.3),
                falling(6, 60, 0.3, 0.944),
                52,
                655.0,
            ),
            Curve("student, quantisation-aware", falling(7, 8, 0.5, 0.33), (), 8, 81.0),
        ),
        agreement=(
            AgreementRow("TensorFlow Lite Micro", "desk", int8.windows, int8.windows),
            AgreementRow("compiled", "host", int8.windows, int8.windows, "sanitizers on"),
            AgreementRow("compiled", "mps2_an386", int8.windows, int8.windows, "QEMU 7.2"),
        ),
        provenance=Provenance(
            recipe_name="hapt.toml",
            recipe='[data]\nname = "hapt"\nwindow = 128\n\n[student]\nwidth = 1.0\n',
            created="2026-05-04",
            versions={"tinyhar": "0.1.0", "tensorflow": "2.21.0", "tflite-micro": "0.dev20261023"},
            seeds={"split": 1, "training": 7},
            hashes={"hapt/HAPT_Data_Set.zip": "3f236d51" * 8, "bundle.thb": "09ab77ef" * 8},
            seconds={"data": 11.4, "teacher": 412.0, "student": 655.0, "quantise": 81.0},
        ),
        files=(
            FileEntry("report.html", "this page"),
            FileEntry("metrics.json", "the same figures for machines", 14_120),
            FileEntry("bundle.thb", "all that a band needs, in one file", 18_220),
            FileEntry("export/", "C sources for your own firmware"),
        ),
    )


@pytest.fixture(scope="session")
def run() -> RunReport:
    """A complete run on six classes."""
    return example_run()


@pytest.fixture(scope="session")
def run_with() -> Callable[..., RunReport]:
    """A run with other classes or channels."""
    return example_run


@pytest.fixture(scope="session")
def synthetic(run: RunReport) -> RunReport:
    """A run on made-up movement."""
    return replace(run, data=replace(run.data, name="synthetic", synthetic=True))
