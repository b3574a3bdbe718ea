"""What naming movement costs a battery: an estimate from instructions and data sheets, no more.

    energy of a window = instructions x CYCLES_PER_INSTRUCTION / clock x active current x voltage

and between windows the microcontroller sleeps with its RAM kept. Left out: the radio, the serial
line, wait states beyond the average, the regulator's losses, and whatever else a band does.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from tinyhar.errors import DataError

CYCLES_PER_INSTRUCTION: Final = 1.25
"""Of a Cortex-M4 on convolutions in int8 (ours: a pipeline model gave 1.23 to 1.29)."""

DAY: Final = 86_400.0
"""Seconds."""


@dataclass(frozen=True)
class Microcontroller:
    """Typical figures at `volts` and 25 degrees; `idle_a` with RAM and a clock kept."""

    name: str
    clock_hz: float
    active_a: float
    idle_a: float
    volts: float
    source: str


@dataclass(frozen=True)
class Sensor:
    """An inertial sensor's typical supply currents, A."""

    name: str
    acc_low_power_a: float
    acc_a: float
    acc_and_gyro_a: float
    volts: float
    source: str

    def current(self, kinds: Collection[str], *, low_power: bool = False) -> float:
        """With these kinds switched on; DataError for one that the sensor has not."""
        if unknown := set(kinds) - {"acc", "gyro"}:
            raise DataError(f"sensor {self.name}: no {', '.join(sorted(unknown))}")
        if "gyro" in kinds:
            return self.acc_and_gyro_a
        return self.acc_low_power_a if low_power else self.acc_a


MICROCONTROLLERS: Final = (
    Microcontroller(
        "nRF52840", 64e6, 3.3e-3, 3.2e-6, 3.0,
        "Nordic, product specification: CoreMark from flash at 64 MHz, DC/DC; system ON, full RAM",
    ),
    Microcontroller(
        "STM32L476", 80e6, 8.0e-3, 1.4e-6, 3.3,
        "ST, data sheet, first page: 100 uA/MHz in run mode (LDO); Stop 2 with RTC",
    ),
    Microcontroller(
        "Apollo3 Blue", 48e6, 0.288e-3, 2.7e-6, 3.3,
        "Ambiq, data sheet, first page: 6 uA/MHz from flash; deep sleep with RTC",
    ),
)  # fmt: skip
"""Cortex-M4F, all three: the instructions that QEMU counts are theirs."""

LSM6DSO: Final = Sensor(
    "LSM6DSO", 26e-6, 170e-6, 550e-6, 1.8,
    "ST, data sheet DS12140: accelerometer low-power at 52 Hz and high-performance, both sensors "
    "high-performance",
)  # fmt: skip


@dataclass(frozen=True)
class Energy:
    """An estimate.

    Attributes:
        window_j: one inference, J.
        day_j: a day's inferences and the sleep between, J.
        average_a: of the microcontroller.
        sensor_a: of the sensor, all day.
        busy: share of the time in which the core runs.
    """

    microcontroller: str
    window_j: float
    day_j: float
    average_a: float
    sensor_a: float
    busy: float

    def days(self, capacity_ah: float) -> float:
        """How long a battery of this capacity lasts with core and sensor alone."""
        return capacity_ah / (self.average_a + self.sensor_a) / 24


def estimate(
    core: Microcontroller,
    instructions: float,
    *,
    rate: float,
    stride: int,
    kinds: Collection[str],
    moving: float = 1.0,
    low_power: bool = False,
    sensor: Sensor = LSM6DSO,
) -> Energy:
    """Core and sensor of a band that names a window every `stride` samples.

    Args:
        core: what runs the model.
        instructions: of one window, counts to logits.
        rate: samples a second, Hz.
        stride: samples from window to window.
        kinds: sensors that are on.
        moving: share of the time in which windows are named: the rest passes an idle gate.
        low_power: the accelerometer's low-power mode, where the gyroscope is off.
        sensor: where the samples come from.

    Raises:
        DataError: a rate, stride or share that cannot be, or a core that is too slow.
    """
    if not (rate > 0 and stride > 0 and instructions > 0 and 0 <= moving <= 1):
        raise DataError(
            f"energy: rate {rate}, stride {stride}, instructions {instructions}, moving {moving}: "
            "expected the first three above 0 and a share from 0 to 1"
        )
    seconds = instructions * CYCLES_PER_INSTRUCTION / core.clock_hz
    period = stride / rate
    if seconds > period:
        raise DataError(
            f"{core.name}: a window takes {seconds:.2g} s and the next one comes after {period:.2g}"
            " s; make the stride longer or the model smaller"
        )
    busy = moving * seconds / period
    average = core.idle_a + busy * (core.active_a - core.idle_a)
    return Energy(
        microcontroller=core.name,
        window_j=seconds * core.active_a * core.volts,
        day_j=average * core.volts * DAY,
        average_a=average,
        sensor_a=sensor.current(kinds, low_power=low_power),
        busy=busy,
    )
