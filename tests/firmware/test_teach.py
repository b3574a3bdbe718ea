"""Teaching the band: it averages what it is shown, and keeps it, whatever happens to the power."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.deploy_bundles import plan_of, variant
from tests.firmware.flash_sim import (
    CLEAN,
    HALF,
    NOISY,
    POWER_ON,
    REQUESTED,
    PowerCutError,
    RefusedError,
    Shape,
    SimulatedFlashBand,
)
from tests.firmware.probe import Probe
from tests.firmware.stub_model import (
    TEACHING_STRIDE,
    WINDOW,
    answer,
    embedding,
    movement,
    random_counts,
    stub_teaching,
    windows_of,
)
from tinyhar.band import deploy_messages as dm
from tinyhar.band import messages as m
from tinyhar.band.codes import NONE, TeachAction, What
from tinyhar.band.teach_messages import Taught, TaughtResponse, Teach, TeachResponse

SHAPE = Shape(32, 1024, 4)


TEACHING = stub_teaching()
FIRST, SECOND = (variant(n, teaching=TEACHING) for n in range(2))
PLAIN = variant(3)
ASK = Taught(0)


def begin(name: str) -> Teach:
    return Teach(TeachAction.BEGIN, NONE, name)


def again(index: int) -> Teach:
    return Teach(TeachAction.BEGIN, index)


KEEP, CANCEL = Teach(TeachAction.KEEP, NONE), Teach(TeachAction.CANCEL, NONE)
FORGET_ALL = Teach(TeachAction.FORGET, NONE)


class Learner(SimulatedFlashBand):
    """The simulated band, asked about teaching."""

    def show(self, counts: np.ndarray) -> None:
        self.ask(m.Stream(0, m.pack_counts(counts)))

    def teach(self, start: Teach, counts: np.ndarray) -> TeachResponse:
        self.ask(start)
        self.show(counts)
        return self.ask(KEEP)

    def taught(self) -> list[TaughtResponse]:
        found = []
        while (one := self.ask(Taught(len(found)))).class_index != NONE:
            found.append(one)
        return found

    def names(self) -> list[str]:
        count = self.identity().classes
        return [self.ask(m.Describe(What.CLASS_NAME, k)).text for k in range(count)]

    def infer(self, counts: np.ndarray) -> list[int]:
        result = self.ask(m.Infer(0, m.pack_counts(counts))).result
        assert result is not None
        logits = np.frombuffer(result.logits, np.int8)
        assert result.class_index == logits.argmax()
        return logits.tolist()

    def expected(self, counts: np.ndarray) -> list[int]:
        """What the desk computes from what the band tells."""
        means = dict(enumerate(TEACHING.means))
        means |= {one.class_index: np.frombuffer(one.mean, np.int8) for one in self.taught()}
        table = np.stack([means[k] for k in range(len(means))])
        return TEACHING.logits(embedding(counts)[np.newaxis], table)[0].tolist()


@pytest.fixture(scope="module")
def process(sanitized: Path) -> Iterator[Probe]:
    with Probe(sanitized / "tests" / "thar-store-probe") as probe:
        yield probe


@pytest.fixture
def band(process: Probe) -> Learner:
    """Blank flash, the first bundle in the image."""
    band = Learner(process)
    band.image(FIRST.data)
    band.cut_after(-1)
    band.load(SHAPE.blank())
    band.boot()
    return band


def refused(band: Learner, request: m.Request, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        band.ask(request)


def test_a_new_class_is_known_at_once_and_after_a_restart(band: Learner) -> None:
    counts = movement(11)
    assert band.names() == ["walk", "class 0", "sit", "drink"]
    told = band.teach(begin("brushing ☕"), counts)
    shown = windows_of(counts)
    assert told == TeachResponse(5, 1, len(shown), WINDOW + (len(shown) - 1) * TEACHING_STRIDE)
    mean = TEACHING.mean(np.stack([embedding(w) for w in shown]), told.samples, WINDOW, None)
    for _ in range(2):
        assert band.names() == ["walk", "class 0", "sit", "drink", "brushing ☕"]
        assert band.taught() == [TaughtResponse(4, told.windows, told.samples, mean.tobytes())]
        assert int(np.argmax(band.infer(counts[:WINDOW]))) == 4
        for seed in range(20):
            window = random_counts(seed)
            assert band.infer(window) == band.expected(window)
        band.boot(REQUESTED)
    assert band.runs() == FIRST.bundle_id  # the golden windows are the model's, as before


def test_a_class_of_the_bundle_is_shown_again_beside_what_is_known(band: Learner) -> None:
    counts = movement(12)
    band.teach(again(2), counts)
    (one,) = band.taught()
    shown = np.stack([embedding(window) for window in windows_of(counts)])
    mean = TEACHING.mean(shown, one.samples, WINDOW, TEACHING.means[2])
    assert (one.class_index, one.mean) == (2, mean.tobytes())
    assert int(np.argmax(band.infer(counts[-WINDOW:]))) == 2
    band.teach(again(2), movement(13))
    assert len(band.taught()) == 1
    assert band.taught()[0].mean != mean.tobytes()


def test_forgetting_gives_back_the_models_own_answers(band: Learner) -> None:
    window = random_counts(5)
    own = band.infer(window)
    assert own == answer(window).tolist()
    for seed, name in enumerate(("a", "b", "c")):
        band.teach(begin(name), movement(20 + seed))
    band.teach(again(0), movement(30))
    assert band.ask(Teach(TeachAction.FORGET, 5)).taught == 3
    assert band.names()[4:] == ["a", "c"]
    assert [one.class_index for one in band.taught()] == [4, 5, 0]
    assert band.infer(window) == band.expected(window)
    band.teach(again(4), movement(40))
    assert band.names()[4:] == ["a", "c"]
    assert band.ask(FORGET_ALL) == TeachResponse(4, 0, 0, 0)
    assert band.infer(window) == own
    band.boot(REQUESTED)
    assert band.infer(window) == own
    assert band.taught() == []


def test_a_stream_goes_on_predicting_with_the_new_class(band: Learner) -> None:
    band.ask(begin("drink tea"))
    band.show(movement(11)[:30])
    band.show(movement(11)[:30])  # after a pause, from 0: it adds up
    assert band.ask(KEEP).windows == 2 * len(windows_of(movement(11)[:30]))
    assert band.ask(m.GetSettings()).stride == 5
    band.show(movement(11))


def test_what_cannot_be_is_refused_and_changes_nothing(band: Learner) -> None:
    refused(band, KEEP, "BEGIN first")
    for name in ("", "sit", "x" * 33, "a\nb"):
        refused(band, begin(name), "a name of 1 to 32 bytes")
    refused(band, again(4), "no such class")
    refused(band, Teach(TeachAction.FORGET, 1), "was not taught")
    refused(band, Teach(9, 1), "no such action")
    band.ask(begin("x" * 32))
    refused(band, KEEP, "no whole window was shown yet")
    refused(band, m.SetSettings(3, 1, 1), "not while a class is taught")
    band.show(movement(1))
    band.ask(CANCEL)
    refused(band, KEEP, "BEGIN first")
    assert band.taught() == []
    band.image(PLAIN.data)
    band.boot(REQUESTED)
    refused(band, begin("a"), "cannot be taught")
    assert band.ask(ASK).class_index == NONE
    band.load(Shape(3, 1024, 1).blank())  # a sixteenth of a half is no page
    band.image(FIRST.data)
    band.boot(REQUESTED)
    refused(band, begin("a"), "no flash for classes")


def test_there_is_room_for_as_many_as_flash_holds(band: Learner) -> None:
    names = [f"class number {n}" for n in range(4, 99)]
    for name in names:
        try:
            band.teach(begin(name), movement(1))
        except RefusedError as full:
            assert "NO_ROOM" in str(full)
            break
    there = band.names()[4:]
    assert 8 < len(there) < 95
    assert there == names[: len(there)]
    band.teach(again(4), movement(2))  # what is there can be shown again
    band.ask(Teach(TeachAction.FORGET, 6))
    band.teach(begin("room again"), movement(1))


def test_what_was_taught_belongs_to_its_bundle(band: Learner) -> None:
    band.teach(begin("mine"), movement(1))
    band.deploy(SECOND, plan_of(SECOND, None))
    assert band.names() == ["run", "class 1", "sit", "drink"]
    band.teach(begin("other"), movement(2))
    band.ask(dm.Rollback())
    assert band.names()[4:] == ["mine"]
    band.ask(dm.Rollback())
    assert band.names()[4:] == ["other"]
    band.deploy(PLAIN, plan_of(PLAIN, None))
    band.boot(POWER_ON)
    assert band.taught() == []


def test_a_button_is_enough(band: Learner) -> None:
    for name in ("taught 001", "taught 002"):
        assert band.press()
        assert not band.press()  # nothing was shown
        assert band.taught() == [] or name != "taught 001"
        band.show(movement(1))
        assert band.press()
        assert band.names()[-1] == name
    band.image(PLAIN.data)
    band.boot(REQUESTED)
    assert not band.press()


def test_a_new_model_ends_the_showing(band: Learner) -> None:
    band.ask(begin("mine"))
    band.deploy(SECOND, plan_of(SECOND, None))
    refused(band, KEEP, "BEGIN first")


@pytest.mark.parametrize("torn", [CLEAN, HALF, *range(NOISY, NOISY + 4)])
@pytest.mark.parametrize("act", ["teach", "again", "forget", "forget all"])
def test_a_cut_at_any_write_leaves_what_was_or_what_is_to_be(
    band: Learner, act: str, torn: int
) -> None:
    band.teach(begin("a"), movement(1))
    band.teach(begin("b"), movement(2))
    band.boot(REQUESTED)
    start, before = band.save(), band.taught()

    def do() -> None:
        if act in ("teach", "again"):
            band.teach(begin("c") if act == "teach" else again(4), movement(3))
        else:
            band.ask(FORGET_ALL if act == "forget all" else Teach(TeachAction.FORGET, 4))

    band.cut_after(-1)
    do()
    operations, after = band.operations(), band.taught()
    assert operations > 3 and before != after
    found = []
    for cut in range(operations):
        band.load(start)
        band.boot(REQUESTED)
        band.cut_after(cut, torn)
        with pytest.raises(PowerCutError):
            do()
        band.boot(POWER_ON)
        assert band.runs() == FIRST.bundle_id
        assert band.taught() in (before, after), cut
        found.append(band.taught() == after)
        band.cut_after(-1)
        if not found[-1]:
            do()
            assert band.taught() == after
    assert found == sorted(found)
    assert not found[0]
    band.operations()
