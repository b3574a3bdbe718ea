"""MotionSense: twenty-four people with an iPhone in the front trouser pocket, six activities.

Malekzadeh et al., IoTDI 2019. ``A_DeviceMotion_data/ACT_N/sub_M.csv`` at 50 Hz holds gravity (g)
and userAcceleration (g) apart and rotationRate (rad/s); a sensor feels the sum, so acc is the sum.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tinyhar.errors import DataError
from tinyhar.recordings.recording import STANDARD_GRAVITY, Recording, triaxial
from tinyhar.recordings.source import Source, members
from tinyhar.recordings.tables import named

RATE: Final = 50.0
CODES: Final = {
    "dws": "downstairs",
    "ups": "upstairs",
    "wlk": "walking",
    "jog": "jogging",
    "sit": "sitting",
    "std": "standing",
}
ACTIVITIES: Final = tuple(CODES.values())
COLUMNS: Final = tuple(
    f"{kind}.{axis}" for kind in ("gravity", "userAcceleration", "rotationRate") for axis in "xyz"
)


def read(source: Source) -> list[Recording]:
    """One recording a person and trial."""
    found = members(source, r"([a-z]{3})_(\d+)/sub_(\d+)\.csv", "ACT_N/sub_M.csv")
    ordered = sorted(found, key=lambda f: (int(f[1][3]), f[1][1], int(f[1][2])))
    return [_trial(source, name, match[1], match[3]) for name, match in ordered]


def _trial(source: Source, name: str, code: str, subject: str) -> Recording:
    origin = f"{source.path}:{name}"
    if code not in CODES:
        raise DataError(f"{origin}: no activity has the code {code!r}; there is {', '.join(CODES)}")
    table = named(source.read(name), origin, COLUMNS)[list(COLUMNS)].to_numpy()
    acc = (table[:, 0:3] + table[:, 3:6]) * STANDARD_GRAVITY
    return Recording(
        subject=subject,
        rate=RATE,
        channels=triaxial("trouser_pocket", "acc", "gyro"),
        signal=np.concatenate([acc, table[:, 6:9]], axis=1).astype(np.float32),
        labels=np.full(len(table), list(CODES).index(code), np.int16),
        activities=ACTIVITIES,
        source=origin,
    )
