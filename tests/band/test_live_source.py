"""What a band without a sensor wears: a person of a run, a recording, computed movement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.band.live_parts import Wired, movement
from tests.band.simulated import SimulatedBand
from tinyhar.band.client import Client
from tinyhar.band.desk import Desk, read_desk
from tinyhar.band.sensing import home_of, in_words, parts, sensing_of
from tinyhar.band.session import Moved
from tinyhar.band.source import Replay
from tinyhar.band.worn import Wish, of_person, source_of, synthetic
from tinyhar.counts import COUNTS, FULL_SCALE
from tinyhar.errors import BandError, DataError


def test_performing_plays_one_activity_only_and_goes_on_with_it() -> None:
    wired = Wired()
    events = wired.session.events()
    next(events)
    source = wired.sources[0]
    source.perform("walk")
    walked = [next(events) for _ in range(5)]
    source.perform("sit")
    next(events)
    source.perform("walk")
    walked += [next(events) for _ in range(5)]
    assert {event.piece.really for event in walked if isinstance(event, Moved)} == {"walk"}
    joined = np.concatenate([event.piece.counts for event in walked])  # type: ignore[union-attr]
    assert np.array_equal(joined, wired.played.counts[500:][: len(joined)])


def test_what_cannot_be_performed_is_named_with_what_can() -> None:
    with pytest.raises(DataError, match="no movement of 'swim'; it has sit, walk"):
        Replay(movement(), 50.0, "a test").perform("swim")


def test_hurrying_waits_for_nobody() -> None:
    wired = Wired()
    events = wired.session.events()
    next(events)
    wired.sources[0].hurry(True)
    for _ in range(20):
        next(events)
    assert wired.asleep < 0.1


def test_a_source_that_was_late_does_not_make_up_for_it() -> None:
    wired = Wired()
    events = wired.session.events()
    for _ in range(3):
        next(events)
    wired.band._time += 100
    before = wired.asleep
    for _ in range(11):
        next(events)
    assert wired.asleep - before > 0.5


def test_overlapping_windows_are_joined_to_the_movement_they_were_cut_from(bare_run: Path) -> None:
    desk = read_desk(bare_run)
    whole = np.arange(1000 * 6, dtype=np.int16).reshape(1000, 6)
    starts = [0, 64, 128, 500, 564]
    counts = np.stack([whole[s : s + 128] for s in starts])
    labels = np.array([0, 0, 0, 1, 1])
    subjects = np.array(["anna"] * 5)
    desk = Desk(desk.bundle, desk.bundle_id, counts, desk.logits[:5], labels, subjects, desk.run)
    moved = of_person(desk, "anna")
    assert np.array_equal(moved.counts, np.concatenate([whole[:256], whole[500:692]]))
    assert moved.labels.tolist() == [0] * 256 + [1] * 192


def test_an_unknown_person_is_named_with_those_there(bare_run: Path) -> None:
    with pytest.raises(DataError, match="no person 'otto' among its unseen ones: s0, s1, s2"):
        of_person(read_desk(bare_run), "otto")


def test_synthetic_movement_fits_any_position_and_scale() -> None:
    sensing = sensing_of(Client(SimulatedBand()))
    moved = synthetic(sensing)
    assert moved.counts.shape[1] == 3
    norms = np.linalg.norm(moved.counts * sensing.lsb, axis=1)
    assert 8 < np.median(norms) < 12, "gravity is not where it should be"


def test_without_a_run_scales_are_the_usual_ones_and_said_to_be_assumed() -> None:
    client = Client(SimulatedBand())
    assert home_of(client) is None
    sensing = sensing_of(client)
    assert sensing.assumed
    assert sensing.lsb.tolist() == [FULL_SCALE["acc"] / COUNTS] * 3
    assert in_words(sensing.full_scale) == "acc ±8 g"
    assert in_words(sensing_of(client, full_scale={"acc": 16 * 9.80665}).full_scale) == "acc ±16 g"


def test_a_run_of_another_model_is_refused(bare_run: Path) -> None:
    with pytest.raises(BandError, match="another model"):
        sensing_of(Client(SimulatedBand()), bare_run)


def test_a_recording_of_ones_own_is_worn(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    lines = [f"{i / 50},0,0,9.80665,sit" for i in range(100)]
    file.write_text("# rate: 50\ntime_s,acc_x,acc_y,acc_z,label\n" + "\n".join(lines) + "\n")
    client = Client(SimulatedBand())
    source = source_of(Wish(csv=file), client, sensing_of(client))
    assert source.activities == ("sit",)
    assert source._movement.counts[0].tolist() == [0, 0, 4096]


def test_shares_add_up_and_follow_the_logits() -> None:
    sensing = sensing_of(Client(SimulatedBand()))
    shares = sensing.shares(np.array([-128, 0, 127], np.int8).tobytes())
    assert shares.sum() == pytest.approx(1)
    assert np.log(shares[2] / shares[1]) == pytest.approx(12.7)


def test_channels_are_named_by_position_kind_and_axis() -> None:
    assert parts("right_wrist_acc_x") == ("right_wrist", "acc", "x")
    with pytest.raises(DataError, match="'x'"):
        parts("x")
