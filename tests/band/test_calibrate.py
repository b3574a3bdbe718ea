"""The guide: what is asked and recorded, what is offered again, what survives leaving."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.band.live_parts import Wired
from tests.band.simulated import SimulatedBand
from tests.band.test_quality import take
from tinyhar.band.calibrate import Guide
from tinyhar.band.calibration_plan import Plan, check_plan, class_names
from tinyhar.band.client import Client
from tinyhar.band.feed import Feed
from tinyhar.band.movement import Movement
from tinyhar.band.sensing import sensing_of
from tinyhar.band.session import Joined
from tinyhar.band.takes import Takes, open_takes
from tinyhar.errors import DataError


class Script:
    """A person who answers in turn; without answers nobody is there."""

    def __init__(self, *answers: str, attended: bool = True) -> None:
        self.attended = attended
        self.answers = list(answers)
        self.said: list[str] = []
        self.before: Callable[[str], None] = lambda label: None

    def say(self, text: str, tone: str = "") -> None:
        self.said.append(text)

    def ask(self, question: str, default: str = "") -> str:
        self.said.append(question)
        if not self.answers:
            raise EOFError
        return self.answers.pop(0) or default

    def count_down(self, label: str) -> None:
        self.before(label)

    @contextmanager
    def progress(self, label: str, samples: int) -> Iterator[Callable[[int], None]]:
        yield lambda done: None

    @property
    def text(self) -> str:
        return "\n".join(self.said)


def performed() -> Movement:
    """Walking, drinking, another walk by another name, rest, and one that clips."""
    named = {
        "walk": take(5.0),
        "drink": take(1.0, seed=1)[:, [1, 2, 0]],
        "stroll": take(5.0, seed=2),
        "rest": take(0.0, seed=3)[:, [2, 1, 0]],
        "hit": np.where(np.arange(500)[:, None] % 10 == 0, 32767, take(5.0)).astype(np.int16),
    }
    labels = np.repeat(np.arange(len(named)), 500)
    return Movement(np.concatenate(list(named.values())), labels, tuple(named))


class Bench:
    """A guide on a simulated band."""

    def __init__(self, out: Path) -> None:
        self.wired = Wired(performed())
        events = self.wired.session.events()
        first = next(events)
        assert isinstance(first, Joined)
        self.notes: list[str] = []
        self.feed = Feed(self.wired.session, first, events, self.notes.append)
        self.takes = open_takes(out, first.sensing, "anna")

    def run(self, voice: Script, plan: Plan) -> tuple[bool, Takes]:
        self.feed.start()
        try:
            return Guide(self.feed, self.takes, voice, plan).run(), self.takes
        finally:
            self.feed.stop()


def acted(out: Path, *classes: str, **plan: object) -> tuple[bool, Takes, Script]:
    voice = Script(attended=False)
    good, takes = Bench(out).run(voice, Plan(classes, act=True, **plan))  # type: ignore[arg-type]
    return good, takes, voice


def test_each_class_is_recorded(tmp_path: Path) -> None:
    good, takes, voice = acted(tmp_path, "walk", "drink", "rest")
    assert good, voice.text
    assert takes.classes == ("walk", "drink", "rest")
    assert [e.samples for e in takes.entries] == [500] * 3
    assert {e.label: sum(e.heard.values()) > 10 for e in takes.entries} == dict.fromkeys(
        takes.classes, True
    )


def test_what_was_played_is_what_is_in_the_file(tmp_path: Path) -> None:
    _, takes, _ = acted(tmp_path, "walk", "drink")
    movement = performed()
    walked = movement.counts[:500]
    signal = takes.signals()[0].signal / takes.sensing.lsb
    found = np.rint(signal).astype(np.int16)
    # it begins somewhere in the movement, and goes round
    assert any(np.array_equal(found, np.roll(walked, -shift, axis=0)) for shift in range(500))


def test_left_and_resumed(tmp_path: Path) -> None:
    voice = Script("walk, drink", "walk")  # leaves when drinking's movement is asked for
    with pytest.raises(EOFError):
        Bench(tmp_path).run(voice, Plan())
    good, takes, again = acted(tmp_path, "walk", "drink")
    assert good
    assert "goes on: walk 10 s" in again.text
    assert "walk: there already" in again.said
    assert [(e.label, e.take) for e in takes.entries] == [("walk", 1), ("drink", 1)]


def test_one_more_take_on_request(tmp_path: Path) -> None:
    acted(tmp_path, "walk", "drink")
    good, takes, _ = acted(tmp_path, "WALK", again=True)
    assert good
    assert [(e.label, e.take) for e in takes.entries][-1] == ("walk", 2)


def test_a_confused_class_is_named_and_offered_again(tmp_path: Path) -> None:
    voice = Script("walk", "stroll", "k")
    good, takes = Bench(tmp_path).run(voice, Plan(("walk", "stroll")))
    assert good
    assert "looks like walk" in voice.text
    assert takes.kept("stroll")


def test_unattended_it_tries_again_and_then_gives_up_on_a_class(tmp_path: Path) -> None:
    good, takes, voice = acted(tmp_path, "walk", "hit")
    assert not good
    assert [(e.label, e.kept) for e in takes.entries] == [("walk", True)] + [("hit", False)] * 3
    assert len(list((tmp_path / "rejected").iterdir())) == 3
    assert "full scale in 10.0% of the samples" in voice.text


def test_every_take_stays_on_the_disk(tmp_path: Path) -> None:
    voice = Script("hit", "a", "s", "walk")
    good, takes = Bench(tmp_path).run(voice, Plan(("hit", "walk")))
    assert not good
    assert [e.kept for e in takes.entries] == [False, False, True]
    assert all((tmp_path / e.file).is_file() for e in takes.entries)


def test_rest_is_asked_about_only_when_it_is_unclear(tmp_path: Path) -> None:
    voice = Script("rest", "y", "walk")
    good, takes = Bench(tmp_path).run(voice, Plan(("listening", "walk")))
    assert good
    assert "is listening done at rest?" in voice.text
    assert takes.resting == {"listening": True}
    assert open_takes(tmp_path, takes.sensing, None).resting == {"listening": True}


def test_a_class_said_to_rest_is_not_asked_about(tmp_path: Path) -> None:
    voice = Script("rest", "walk")
    good, _ = Bench(tmp_path).run(voice, Plan(("listening", "walk"), resting=("Listening",)))
    assert good


def test_names_are_asked_for_until_they_are_good(tmp_path: Path) -> None:
    voice = Script("walk", "walk,Walk", "a/b,c", "", "walk,drink", "walk", "drink")
    good, takes = Bench(tmp_path).run(voice, Plan())
    assert good
    assert takes.classes == ("walk", "drink")
    for told in ("one class only (walk)", "'Walk' is named twice", "'a/b' has /", "no class"):
        assert told in voice.text


def test_a_movement_that_is_not_there_is_named_before_anything_is_recorded(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no movement of 'swim'"):
        acted(tmp_path, "walk", "swim")
    assert not list(tmp_path.glob("*.csv"))


def test_a_line_that_breaks_costs_the_take_not_the_calibration(tmp_path: Path) -> None:
    bench, voice = Bench(tmp_path), Script(attended=False)
    cut = []

    def pull_the_cable(label: str) -> None:
        if label == "drink" and not cut:
            cut.append(label)
            old = bench.wired.band
            bench.wired.bands.append(SimulatedBand())
            old.cut_after = old.frames_in + 30

    voice.before = pull_the_cable
    good, takes = bench.run(voice, Plan(("walk", "drink"), act=True))
    assert good, voice.text
    broken = [e for e in takes.entries if not e.kept]
    assert len(broken) <= 1
    assert takes.kept("drink")[0].samples == 500
    assert any("the band is back" in note for note in bench.notes)


def test_a_full_disk_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [1, 1]

    def full(_: int) -> None:
        if left:
            left.pop()
            raise OSError(errno.ENOSPC, "No space left on device")

    bench = Bench(tmp_path)
    monkeypatch.setattr("tinyhar.band.recorder.os.fsync", full)
    voice = Script("walk", "", "", "drink")
    good, takes = bench.run(voice, Plan(("walk", "drink")))
    assert good
    assert voice.text.count("the disk is full") == 2
    assert [e.samples for e in takes.entries] == [500, 500]


def test_plans_that_lead_nowhere_are_refused() -> None:
    sensing = sensing_of(Client(SimulatedBand()))
    with pytest.raises(DataError, match="--seconds 2: too few"):
        check_plan(Plan(("a", "b"), seconds=2), sensing, (), True)
    with pytest.raises(DataError, match=r"one class only \(a\)"):
        check_plan(Plan(("a",)), sensing, (), True)
    with pytest.raises(DataError, match=r"one class only \(A\)"):
        check_plan(Plan(("A",)), sensing, ("a",), True)
    check_plan(Plan(("a",)), sensing, ("b",), True)
    with pytest.raises(DataError, match="name the classes"):
        check_plan(Plan(), sensing, (), False)
    check_plan(Plan(), sensing, (), True)


def test_names_are_told_apart_whatever_their_case() -> None:
    assert class_names(" a, b c ,") == ("a", "b c")
    with pytest.raises(DataError, match="'A' is named twice"):
        class_names("a,A")
    assert class_names("") == ()
