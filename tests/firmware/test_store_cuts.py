"""The power is cut at every single operation on flash; the old or the new model boots, whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.firmware.deploy_bundles import plan_of, variant
from tests.firmware.flash_sim import (
    CLEAN,
    HALF,
    NOISY,
    POWER_ON,
    REQUESTED,
    WATCHDOG,
    PowerCutError,
    Shape,
    SimulatedFlashBand,
)
from tests.firmware.probe import Probe
from tinyhar.band import deploy_messages as dm
from tinyhar.band.codes import SlotState

SHAPES = (Shape(8, 256, 4), Shape(3, 1024, 1), Shape(2, 4096, 16), Shape(8, 272, 8))
BUILT_IN, FIRST, SECOND, THIRD = (variant(n) for n in range(4))

Act = Callable[[SimulatedFlashBand], object]


@pytest.fixture(scope="module")
def band(sanitized: Path) -> Iterator[SimulatedFlashBand]:
    with Probe(sanitized / "tests" / "thar-store-probe") as probe:
        band = SimulatedFlashBand(probe)
        band.image(BUILT_IN.data)
        yield band


def operations_of(band: SimulatedFlashBand, start: bytes, act: Act) -> int:
    band.load(start)
    band.boot(REQUESTED)
    band.cut_after(-1)
    act(band)
    band.boot(REQUESTED)
    assert band.operations() > 0
    return band.operations()


def check_every_cut(
    band: SimulatedFlashBand, start: bytes, act: Act, old: bytes, new: bytes, torn: int
) -> list[bool]:
    """Whether the new model booted, for a cut at each operation of `act` and the boot behind it."""
    outcomes = []
    for cut in range(operations_of(band, start, act)):
        band.load(start)
        band.boot(REQUESTED)
        band.cut_after(cut, torn)
        with pytest.raises(PowerCutError):
            act(band)
            band.boot(REQUESTED)
        band.boot(POWER_ON)
        assert band.runs() in (old, new), f"cut {cut}"
        outcomes.append(band.runs() == new)
        band.boot(REQUESTED)
        assert (band.runs() == new) == outcomes[-1], f"cut {cut}: another model after a restart"
        if not outcomes[-1]:
            act(band)
            assert band.runs() == new, f"cut {cut}: it does not go on"
        band.operations()
    # Once the new one has booted it does so after every later cut, too: there is one moment.
    assert outcomes == sorted(outcomes)
    assert not outcomes[0]
    return outcomes


def started(band: SimulatedFlashBand, shape: Shape, *before: Act) -> bytes:
    """Flash after some deployments onto blank flash."""
    band.cut_after(-1)
    band.load(shape.blank())
    band.boot()
    for act in before:
        act(band)
    band.boot(REQUESTED)
    return band.save()


def deploying(new: object, running: object = None) -> Act:
    return lambda band: band.deploy(new, plan_of(new, running))  # type: ignore[arg-type]


def going_back(band: SimulatedFlashBand) -> object:
    return band.ask(dm.Rollback())


@pytest.mark.parametrize("torn", [CLEAN, HALF, *range(NOISY, NOISY + 4)])
@pytest.mark.parametrize("partial", [False, True], ids=["full", "partial"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_cut_anywhere_in_a_deployment_leaves_the_old_or_the_new_model(
    band: SimulatedFlashBand, shape: Shape, partial: bool, torn: int
) -> None:
    acts: list[tuple[bytes, Act]] = []
    running = BUILT_IN
    for new in (FIRST, SECOND, THIRD):  # into slot 0 that is blank, slot 1, slot 0 that is in use
        start = started(band, shape, *(act for _, act in acts))
        act = deploying(new, running if partial else None)
        check_every_cut(band, start, act, running.bundle_id, new.bundle_id, torn)
        acts.append((start, act))
        running = new


@pytest.mark.parametrize("torn", [CLEAN, HALF, NOISY])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_cut_anywhere_in_a_roll_back_leaves_one_of_the_two(
    band: SimulatedFlashBand, shape: Shape, torn: int
) -> None:
    one = started(band, shape, deploying(FIRST))
    check_every_cut(band, one, going_back, FIRST.bundle_id, BUILT_IN.bundle_id, torn)
    two = started(band, shape, deploying(FIRST), deploying(SECOND))
    check_every_cut(band, two, going_back, SECOND.bundle_id, FIRST.bundle_id, torn)


@pytest.mark.parametrize("torn", [CLEAN, HALF, NOISY])
def test_flash_that_was_never_erased_is_no_obstacle(band: SimulatedFlashBand, torn: int) -> None:
    shape = SHAPES[0]
    for value in (0x00, 0xA5):
        start = shape.blank(value)
        check_every_cut(band, start, deploying(FIRST), BUILT_IN.bundle_id, FIRST.bundle_id, torn)


@pytest.mark.parametrize("torn", [CLEAN, NOISY])
def test_a_second_cut_while_it_recovers_changes_nothing(
    band: SimulatedFlashBand, torn: int
) -> None:
    """Every pair: cut in the deployment, then at each operation of the boot and the next try."""
    shape = SHAPES[0]
    start = started(band, shape, deploying(FIRST))
    act = deploying(SECOND)
    allowed = (FIRST.bundle_id, SECOND.bundle_id)
    for cut in range(operations_of(band, start, act)):
        band.load(start)
        band.boot(REQUESTED)
        band.cut_after(cut, torn)
        with pytest.raises(PowerCutError):
            act(band)
            band.boot(REQUESTED)
        after = band.save()
        again = 0
        while True:
            band.load(after)
            band.cut_after(again, torn)
            try:
                band.boot(POWER_ON)
                if band.runs() == FIRST.bundle_id:
                    act(band)
                    band.boot(REQUESTED)
            except PowerCutError:
                band.boot(POWER_ON)
                assert band.runs() in allowed, (cut, again)
                again += 1
            else:
                assert band.runs() == SECOND.bundle_id
                break


def crash_in_boot(band: SimulatedFlashBand) -> None:
    """The watchdog ends a boot after its beginning was noted."""
    band.cut_after(1)
    with pytest.raises(PowerCutError):
        band.boot(WATCHDOG)


def test_a_model_whose_boots_crash_is_given_up_after_three(band: SimulatedFlashBand) -> None:
    for before, old in (
        ((), BUILT_IN),
        ((deploying(FIRST),), FIRST),
    ):
        band.load(started(band, SHAPES[0], *before, deploying(SECOND)))
        for _ in range(2):
            crash_in_boot(band)
        good = band.save()
        band.boot(WATCHDOG)
        assert band.runs() == SECOND.bundle_id, "two crashes and a boot: it may stay"
        band.load(good)
        crash_in_boot(band)
        band.boot(WATCHDOG)
        assert band.runs() == old.bundle_id
        assert SlotState.REJECTED in band.states()
        band.boot(POWER_ON)
        assert band.runs() == old.bundle_id, "and it stays given up"
        band.deploy(THIRD, plan_of(THIRD, None))
        band.boot(POWER_ON)
        assert band.runs() == THIRD.bundle_id


def test_giving_up_a_model_can_be_cut_anywhere(band: SimulatedFlashBand) -> None:
    for before, old in (((), BUILT_IN), ((deploying(FIRST),), FIRST)):
        band.load(started(band, SHAPES[0], *before, deploying(SECOND)))
        for _ in range(3):
            crash_in_boot(band)
        crashed = band.save()
        cut = 0
        while True:
            band.load(crashed)
            band.cut_after(cut, NOISY)
            try:
                band.boot(WATCHDOG)
            except PowerCutError:
                band.boot(POWER_ON)
                assert band.runs() == old.bundle_id
                cut += 1
            else:
                assert cut > 0
                break


def test_roll_backs_never_run_out(band: SimulatedFlashBand) -> None:
    band.load(started(band, SHAPES[1], deploying(FIRST), deploying(SECOND)))
    band.boot()
    for turn in range(120):
        band.ask(dm.Rollback())
        assert band.runs() == (FIRST, SECOND)[turn % 2].bundle_id
    band.boot()
    assert band.runs() == SECOND.bundle_id


def test_a_crash_is_noticed_after_any_number_of_crashes(band: SimulatedFlashBand) -> None:
    band.load(started(band, SHAPES[1], deploying(FIRST), deploying(SECOND)))
    for _ in range(40):
        band.boot(WATCHDOG)
        assert band.runs() == SECOND.bundle_id
    for _ in range(3):
        crash_in_boot(band)
    band.boot(WATCHDOG)
    assert band.runs() == FIRST.bundle_id


@pytest.mark.parametrize("torn", [CLEAN, HALF, NOISY])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_cut_while_a_header_is_renewed_leaves_one_of_the_two(
    band: SimulatedFlashBand, shape: Shape, torn: int
) -> None:
    """Boots after crashes until the next one finds no cell for its mark."""
    band.load(started(band, shape, deploying(FIRST), deploying(SECOND)))
    usual = _operations_of_a_boot(band)
    while _operations_of_a_boot(band) == usual:
        band.boot(WATCHDOG)
    full = band.save()
    for cut in range(_operations_of_a_boot(band)):
        band.load(full)
        band.cut_after(cut, torn)
        with pytest.raises(PowerCutError):
            band.boot(WATCHDOG)
        band.boot(POWER_ON)
        runs = band.runs()
        assert runs in (FIRST.bundle_id, SECOND.bundle_id)
        band.boot(POWER_ON)
        assert band.runs() == runs


def _operations_of_a_boot(band: SimulatedFlashBand) -> int:
    before = band.save()
    band.cut_after(-1)
    band.boot(WATCHDOG)
    count = band.operations()
    band.load(before)
    return count


@pytest.mark.parametrize("reason", [POWER_ON, WATCHDOG])
@pytest.mark.parametrize("booted", [True, False])
def test_what_does_not_fit_an_image_is_there_again_for_the_next_one(
    band: SimulatedFlashBand, reason: int, booted: bool
) -> None:
    larger = variant(2, arena_bytes=4000)
    band.load(started(band, SHAPES[0], deploying(FIRST)))
    deploying(larger)(band)
    if booted:
        band.boot(POWER_ON)
    try:
        band.room(2000)
        for _ in range(5):
            band.boot(reason)
            assert band.runs() == FIRST.bundle_id
            assert SlotState.REJECTED in band.states()
    finally:
        band.room(4096)
    band.boot(POWER_ON)
    assert band.runs() == larger.bundle_id


def test_a_deployment_spares_what_may_fit_the_next_image(band: SimulatedFlashBand) -> None:
    larger = variant(2, arena_bytes=4000)
    band.load(started(band, SHAPES[0], deploying(larger)))
    try:
        band.room(2000)
        band.boot(POWER_ON)
        deploying(FIRST)(band)
        assert band.runs() == FIRST.bundle_id
    finally:
        band.room(4096)
    band.boot(POWER_ON)
    assert band.runs() == FIRST.bundle_id
    band.ask(dm.Rollback())
    assert band.runs() == larger.bundle_id


def test_rotten_flash_is_noticed_at_boot_and_left(band: SimulatedFlashBand) -> None:
    """Every byte of the slot in use, one at a time: the model before it boots."""
    shape = SHAPES[0]
    start = started(band, shape, deploying(FIRST), deploying(SECOND))
    slot_1 = 8 + shape.pages * shape.page
    used = 1024 + len(SECOND.data)
    seen = set()
    for at in [*range(0, 96), *range(512, 576), *range(1024, used, 7)]:
        rotten = bytearray(start)
        rotten[slot_1 + at] ^= 0x10
        band.load(bytes(rotten))
        band.boot(POWER_ON)
        seen.add(band.runs())
        if at >= 1024:
            assert band.runs() == FIRST.bundle_id
            band.boot(POWER_ON)
            assert band.runs() == FIRST.bundle_id
    assert seen == {FIRST.bundle_id, SECOND.bundle_id}
