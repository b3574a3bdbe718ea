"""The model store against a model of it: whatever is done in whatever order, and cut anywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.firmware.deploy_bundles import plan_of, variant
from tests.firmware.flash_sim import (
    POWER_ON,
    REQUESTED,
    WATCHDOG,
    PowerCutError,
    RefusedError,
    Shape,
    SimulatedFlashBand,
)
from tests.firmware.probe import Probe
from tinyhar.band import deploy_messages as dm
from tinyhar.band.codes import ErrorCode
from tinyhar.band.deploy_file import BundleFile

IMAGE, *VARIANTS = (variant(n) for n in range(5))
SHAPES = (Shape(8, 256, 4), Shape(2, 4096, 16), Shape(8, 272, 1))

variants = st.sampled_from(VARIANTS)
cuts = st.tuples(st.integers(0, 40), st.integers(0, 5))


class StoreMachine(RuleBasedStateMachine):
    """``running`` is the bundle that must run; ``back`` where a roll back must go, if anywhere."""

    band: SimulatedFlashBand

    @initialize(shape=st.sampled_from(SHAPES), value=st.sampled_from([0xFF, 0x00, 0x5A]))
    def start(self, shape: Shape, value: int) -> None:
        self.band.cut_after(-1)
        self.band.load(shape.blank(value))
        self.band.boot()
        self.running, self.back = IMAGE, None
        self.coming: BundleFile | None = None

    @invariant()
    def the_right_model_runs(self) -> None:
        assert self.band.runs() == self.running.bundle_id
        self.band.operations()

    # -- what always works -------------------------------------------------------------------

    @rule(new=variants, whole=st.booleans(), most=st.sampled_from([16, 128, 1024]))
    def deploy(self, new: BundleFile, whole: bool, most: int) -> None:
        if new is self.running:
            assert self.band.ask(new.begin()).running
            return
        self.band.deploy(new, plan_of(new, None if whole else self.running), most)
        self._now(new)

    @rule(new=variants, most=st.sampled_from([16, 128]), share=st.floats(0, 1))
    def send_a_part(self, new: BundleFile, most: int, share: float) -> None:
        if new is self.running:
            return
        upto = int(share * len(new.data)) // 16 * 16
        self.band.send(new, plan_of(new, None), most, upto)
        self.coming, self.back = new, self._back_while_receiving()

    @rule()
    def roll_back(self) -> None:
        try:
            activated = self.band.ask(dm.Rollback())
        except RefusedError as refused:
            assert refused.code == ErrorCode.NOTHING_THERE
            assert self.back is None
            return
        assert self.back is not None
        self.running, self.back = self.back, self.running
        self.coming = None
        assert activated.golden == 6

    @rule()
    def abort(self) -> None:
        self.band.ask(dm.Abort())
        self.coming = None

    @rule(reason=st.sampled_from([POWER_ON, REQUESTED, WATCHDOG]))
    def restart(self, reason: int) -> None:
        self.band.boot(reason)

    # -- what must be refused ----------------------------------------------------------------

    @rule(offset=st.integers(0, 2000), size=st.integers(0, 80))
    def chunks_that_do_not_fit_are_harmless(self, offset: int, size: int) -> None:
        try:
            self.band.ask(dm.Chunk(offset + 1, bytes(size + 1)))
        except RefusedError as refused:
            assert refused.code in (ErrorCode.NOTHING_THERE, ErrorCode.BAD_VALUE)

    @precondition(lambda self: self.coming is None)
    @rule()
    def nothing_can_be_committed_when_nothing_came(self) -> None:
        with pytest.raises(RefusedError, match="NOTHING_THERE"):
            self.band.ask(dm.Commit())

    # -- cuts --------------------------------------------------------------------------------

    @rule(new=variants, whole=st.booleans(), cut=cuts)
    def deploy_and_cut(self, new: BundleFile, whole: bool, cut: tuple[int, int]) -> None:
        if new is self.running:
            return
        plan = plan_of(new, None if whole else self.running)
        if self._cut(cut, lambda: self.band.deploy(new, plan)):
            if self.band.runs() == self.running.bundle_id:
                self.coming, self.back = None, self._back_after_cut()
            else:
                self._now(new)
        else:
            self._now(new)

    @rule(cut=cuts)
    def roll_back_and_cut(self, cut: tuple[int, int]) -> None:
        if self.back is None:
            return
        if self._cut(cut, lambda: self.band.ask(dm.Rollback())):
            if self.band.runs() != self.running.bundle_id:
                self.running, self.back = self.back, self.running
            else:
                self.back = self._back_after_cut()
        else:
            self.running, self.back = self.back, self.running
        self.coming = None

    def _cut(self, cut: tuple[int, int], act: Callable[[], Any]) -> bool:
        """Whether it was cut, the boot behind it included; the power is back then."""
        self.band.cut_after(*cut)
        try:
            act()
            self.band.boot(REQUESTED)
        except PowerCutError:
            self.band.boot(POWER_ON)
            return True
        finally:
            self.band.cut_after(-1)
        return False

    # -- the model ---------------------------------------------------------------------------

    def _now(self, new: BundleFile) -> None:
        self.running, self.back, self.coming = new, self.running, None

    def _back_while_receiving(self) -> BundleFile | None:
        return IMAGE if self.running is not IMAGE else None

    def _back_after_cut(self) -> BundleFile | None:
        """The band may have lost the other bundle, but never says that it has one it has not."""
        start = self.band.save()
        try:
            self.band.ask(dm.Rollback())
        except RefusedError:
            return None
        there = self.band.runs()
        self.band.load(start)
        self.band.boot()
        return next(file for file in (IMAGE, *VARIANTS) if file.bundle_id == there)


def test_the_store_does_what_its_model_does(sanitized: Path) -> None:
    with Probe(sanitized / "tests" / "thar-store-probe") as probe:
        band = SimulatedFlashBand(probe)
        band.image(IMAGE.data)
        StoreMachine.band = band
        run_state_machine_as_test(
            StoreMachine, settings=settings(max_examples=60, stateful_step_count=30, deadline=None)
        )
