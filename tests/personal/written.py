"""Recordings as a calibration writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

NOTE = "# note: full scale: acc ±8 g, gyro ±2000 deg/s"


def movement(seconds: float, rate: float = 50.0, *, beat: float = 1.0, seed: int = 0) -> np.ndarray:
    """acc (m/s^2, with gravity) and gyro (rad/s) [time, 6] of a wrist that swings."""
    t = np.arange(round(seconds * rate)) / rate
    random = np.random.default_rng(seed)
    swing = np.sin(2 * np.pi * beat * t)
    columns = [beat * swing, 0.5 * swing, 9.81 + 0.3 * swing, swing, 0.2 * swing, 0.1 * swing]
    return np.stack(columns, axis=1) + 0.05 * random.normal(size=(len(t), 6))


def write_take(
    file: Path,
    signal: np.ndarray,
    label: str | list[str],
    *,
    rate: float = 50.0,
    position: str = "wrist",
    notes: str = NOTE,
    subject: str = "anna",
    gyro: bool = True,
) -> Path:
    """One file of the `csv` format; `label` for all samples, or one each."""
    labels = [label] * len(signal) if isinstance(label, str) else label
    columns = ["acc_x", "acc_y", "acc_z", *(["gyro_x", "gyro_y", "gyro_z"] if gyro else [])]
    lines = [
        *(f"# subject: {subject}", f"# position: {position}", f"# rate: {rate:g}"),
        *([notes] if notes else []),
        ",".join(["time_s", *columns, "label"]),
        *(
            f"{i / rate:.6f}," + ",".join(f"{v:.6g}" for v in row[: len(columns)]) + f",{name}"
            for i, (row, name) in enumerate(zip(signal, labels, strict=True))
        ),
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file
