"""Energy: plain arithmetic, and what must hold whatever the data sheets say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhar.errors import DataError
from tinyhar.evaluate.energy import (
    CYCLES_PER_INSTRUCTION,
    LSM6DSO,
    MICROCONTROLLERS,
    Microcontroller,
    estimate,
)

CORE = Microcontroller("one", 50e6, 2e-3, 1e-6, 3.0, "made up")
BOTH = ("acc", "gyro")


def test_a_windows_energy_by_hand() -> None:
    found = estimate(CORE, 400_000, rate=50, stride=50, kinds=BOTH)
    seconds = 400_000 * CYCLES_PER_INSTRUCTION / 50e6
    assert found.window_j == pytest.approx(seconds * 2e-3 * 3.0)
    assert found.busy == pytest.approx(seconds)
    assert found.average_a == pytest.approx(1e-6 + seconds * (2e-3 - 1e-6))
    assert found.day_j == pytest.approx(found.average_a * 3.0 * 86_400)
    assert found.days(0.1) == pytest.approx(0.1 / (found.average_a + 550e-6) / 24)


@given(st.integers(1_000, 2_000_000), st.integers(10, 500), st.floats(0, 1))
def test_less_work_never_costs_more(instructions: int, stride: int, moving: float) -> None:
    for core in MICROCONTROLLERS:
        try:
            full = estimate(core, instructions, rate=50, stride=stride, kinds=BOTH)
        except DataError:
            continue
        gated = estimate(core, instructions, rate=50, stride=stride, kinds=BOTH, moving=moving)
        longer = estimate(core, instructions, rate=50, stride=2 * stride, kinds=BOTH)
        assert core.idle_a <= gated.average_a <= full.average_a <= core.active_a
        assert longer.average_a <= full.average_a
        assert longer.window_j == full.window_j


def test_the_gyroscope_costs_more_than_the_core() -> None:
    with_gyro, without = (
        estimate(MICROCONTROLLERS[0], 600_000, rate=50, stride=25, kinds=kinds)
        for kinds in (BOTH, ("acc",))
    )
    assert with_gyro.sensor_a - without.sensor_a > with_gyro.average_a
    assert LSM6DSO.current(["acc"], low_power=True) < LSM6DSO.current(["acc"])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"stride": 0}, "stride 0"),
        ({"moving": 1.5}, "moving 1.5"),
        ({"instructions": 10**9}, "make the stride longer"),
        ({"kinds": ("acc", "mag")}, "no mag"),
    ],
)
def test_what_cannot_be_is_told(changes: dict[str, object], told: str) -> None:
    given = {"instructions": 1000, "rate": 50, "stride": 25, "kinds": BOTH, **changes}
    with pytest.raises(DataError, match=told):
        estimate(CORE, **given)
