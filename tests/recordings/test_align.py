"""Devices worn at once, joined: what must come out on which grid, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tinyhar.errors import DataError
from tinyhar.recordings import Aligned, Recording, align, digest, load, triaxial
from tinyhar.windows import cut, resample

FREQUENCY = 0.7
"""Hz of the movement that the made-up devices feel; each channel at its own phase."""


def felt(times: np.ndarray, channels: int) -> np.ndarray:
    return np.sin(2 * np.pi * FREQUENCY * times[:, None] + np.arange(channels)) + np.arange(
        channels
    )


def worn(
    position: str = "wrist",
    start: float = 0.0,
    seconds: float = 10.0,
    rate: float = 50.0,
    kinds: tuple[str, ...] = ("acc",),
    **change: object,
) -> Recording:
    """A device that samples a known movement; labels are the time's whole seconds, modulo 3."""
    times = start + np.arange(round(seconds * rate) + 1) / rate
    channels = triaxial(position, *kinds)
    recording = Recording(
        subject="anna",
        rate=rate,
        channels=channels,
        signal=felt(times, len(channels)).astype(np.float32),
        labels=(np.floor(times + 1e-6) % 3).astype(np.int16),
        activities=("zero", "one", "two"),
        source=f"{position}.csv",
        session="morning",
        start=start,
    )
    return replace(recording, **change)  # type: ignore[arg-type]


def times_of(recording: Recording) -> np.ndarray:
    return recording.start + np.arange(len(recording)) / recording.rate


def one(aligned: Aligned) -> Recording:
    (recording,) = aligned.recordings
    return recording


def test_what_is_common_to_both_is_joined_on_the_first_one_s_grid():
    wrist = worn("wrist", kinds=("acc", "gyro"), notes=("wrist repaired",))
    pocket = worn("pocket", start=3.007, rate=100, notes=("pocket repaired",))
    joined = one(align([pocket, wrist], ["wrist", "pocket"]))
    assert [c.name for c in joined.channels][::3] == [
        "wrist_acc_x",
        "wrist_gyro_x",
        "pocket_acc_x",
    ]
    assert (joined.rate, joined.start) == (50, pytest.approx(3.02))
    assert joined.session == "morning" and joined.source == "wrist.csv + pocket.csv"
    assert joined.notes == ("wrist repaired", "pocket repaired")
    np.testing.assert_array_equal(joined.signal[:, :6], wrist.signal[151:])
    np.testing.assert_array_equal(joined.labels, wrist.labels[151:])
    np.testing.assert_allclose(joined.signal[:, 6:], felt(times_of(joined), 3), atol=1e-3)


def test_channels_follow_the_positions_and_labels_the_first():
    wrist = worn("wrist")
    pocket = worn("pocket", labels=np.full(501, -1, np.int16))
    joined = one(align([wrist, pocket], ["pocket", "wrist"]))
    assert [c.position for c in joined.channels] == ["pocket"] * 3 + ["wrist"] * 3
    assert set(joined.labels) == {-1}
    assert set(one(align([wrist, pocket], ["wrist", "pocket"])).labels) == {0, 1, 2}


def test_a_clock_in_seconds_since_1970_loses_no_sample():
    epoch = 1_657_534_412.342
    there = [worn(position, start=epoch) for position in ("wrist", "pocket")]
    joined = one(align(there, ["wrist", "pocket"]))
    assert len(joined) == 501 and joined.start == epoch
    np.testing.assert_array_equal(joined.signal, np.hstack([r.signal for r in there]))


def test_one_device_of_two_positions_and_another_of_one():
    both = worn("wrist")
    second = worn("elbow", seconds=10)
    suit = replace(
        both,
        channels=(*both.channels, *second.channels),
        signal=np.hstack([both.signal, second.signal + 10]),
    )
    joined = one(align([worn("pocket"), suit], ["elbow", "pocket", "wrist"]))
    assert [c.name for c in joined.channels][::3] == ["elbow_acc_x", "pocket_acc_x", "wrist_acc_x"]
    np.testing.assert_array_equal(joined.signal[:, :3], suit.signal[:, 3:])
    np.testing.assert_array_equal(joined.signal[:, 6:], suit.signal[:, :3])


def test_who_has_all_positions_passes_unchanged():
    suit = worn("wrist", session="", notes=("as it was",))
    got = one(align([suit, worn("ankle", subject="bert")], ["wrist"]))
    np.testing.assert_array_equal(got.signal, suit.signal)
    assert got.notes == suit.notes and got.source == suit.source and got.rate == suit.rate


def test_every_stretch_in_which_all_were_recording():
    """The watch pauses from 4 to 6 s, the phone from 7 to 8 s and before 1 s."""
    watch = [worn("wrist", 0, 4), worn("wrist", 6, 4)]
    phone = [worn("pocket", 1, 6, rate=40), worn("pocket", 8, 5, rate=40)]
    aligned = align([*reversed(watch), *phone], ["wrist", "pocket"])
    spans = [(round(r.start, 2), round(float(times_of(r)[-1]), 2)) for r in aligned.recordings]
    assert spans == [(1, 4), (6, 7), (8, 10)]
    for recording in aligned.recordings:
        np.testing.assert_allclose(recording.signal, felt_twice(recording), atol=2e-3)


def felt_twice(recording: Recording) -> np.ndarray:
    return np.hstack([felt(times_of(recording), 3)] * 2)


def test_a_stretch_of_under_a_second_is_left_out_and_told():
    watch = [worn("wrist", 0, 4), worn("wrist", 6, 4)]
    aligned = align([*watch, worn("pocket", 3.2, 10)], ["wrist", "pocket"])
    assert one(aligned).start == pytest.approx(6)
    assert one(aligned).notes == ("subject anna, session morning: 1 overlap of under 1 s left out",)
    late = [replace(worn(p, s), subject="bert") for p, s in (("wrist", 0), ("pocket", 9.5))]
    aligned = align([worn("wrist"), worn("pocket"), *late], ["wrist", "pocket"])
    assert one(aligned).subject == "anna"
    assert aligned.left_out == ("subject bert, session morning: wrist, pocket share under 1 s",)


def test_sessions_without_a_position_are_left_out_and_named():
    there = [
        worn("wrist"),
        worn("pocket"),
        worn("wrist", session="noon"),
        worn("wrist", subject="bert", session=""),
    ]
    aligned = align(there, ["wrist", "pocket"])
    assert [r.session for r in aligned.recordings] == ["morning"]
    assert aligned.left_out == (
        "subject anna, session noon: nothing worn at pocket",
        "subject bert, wrist.csv: nothing worn at pocket",
    )


def test_sessions_of_two_people_never_mix():
    there = [worn("wrist"), worn("pocket", subject="bert")]
    message = "no recordings at wrist and pocket together: subject anna, session morning: nothing"
    with pytest.raises(DataError, match=message):
        align(there, ["wrist", "pocket"])


def test_nothing_is_joined_that_tells_no_session():
    there = [worn(position, session="") for position in ("wrist", "pocket")]
    with pytest.raises(DataError, match=r"subject anna, wrist\.csv: nothing .* for 1 more"):
        align(there, ["wrist", "pocket"])


def at(position: str, start: float, **change: object) -> Callable[[], list[Recording]]:
    return lambda: [worn("wrist"), worn(position, start, **change)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "make, positions, message",
    [
        (at("pocket", 0), ["wrist", "ankle"], "nobody wears .* 'ankle'; there is pocket, wrist"),
        (at("pocket", 0), [], "none: name each wanted one once"),
        (at("pocket", 0), ["wrist", "wrist"], "name each wanted one once"),
        (
            at("pocket", 20),
            ["wrist", "pocket"],
            r"session morning: pocket was never .* wrist \(wrist 0\.00 to 10\.00 s, pocket 20\.00",
        ),
        (
            at("pocket", 0, activities=("a", "b", "c")),
            ["wrist", "pocket"],
            r"anna, session morning: the activities at pocket \(a, b, c\) are not those at wrist",
        ),
        (
            lambda: [worn("wrist"), worn("wrist", 3), worn("pocket")],
            ["wrist", "pocket"],
            r"two recordings at wrist at the same time.* to 10\.00 s .* from 3\.00 s",
        ),
        (lambda: [], ["wrist"], "no recordings to align"),
    ],
)
def test_what_cannot_be_joined_is_told_in_one_line(make, positions, message):
    with pytest.raises(DataError, match=message) as caught:
        align(make(), positions)
    assert "\n" not in str(caught.value)


def test_a_rate_is_positive():
    with pytest.raises(DataError, match="cannot align to 0 Hz"):
        align([worn()], ["wrist"], rate=0)


def test_no_device_without_acceleration_can_be_synchronised():
    there = [worn("wrist"), worn("pocket", kinds=("gyro",))]
    with pytest.raises(DataError, match="session morning: the device at pocket has no acceler"):
        align(there, ["wrist", "pocket"], synchronise=True)


def test_going_down_filters_what_the_grid_cannot_hold():
    """A tremor of 30 Hz would be seen as 5 Hz at 25 Hz; the slow movement stays."""
    shaken = []
    for device in (worn("wrist", 0, 20, rate=100), worn("pocket", 0.003, 20, rate=200)):
        tremor = np.sin(2 * np.pi * 30 * times_of(device))[:, None]
        shaken.append(replace(device, signal=(device.signal + tremor).astype(np.float32)))
    joined = one(align(shaken, ["wrist", "pocket"], rate=25))
    assert joined.rate == 25
    error = np.abs(joined.signal - felt_twice(joined))
    assert error[25:-25].max() < 0.01
    assert error.max() < 0.6  # at the ends half of the filter sees no movement


@st.composite
def two_devices(draw: st.DrawFn) -> tuple[list[Recording], float]:
    """Two devices in up to three pieces each, of any rates and starts, and a grid's rate."""
    recordings = []
    for position in ("wrist", "pocket"):
        rate = draw(st.floats(15, 120))
        clock = draw(st.floats(-5, 5))
        for _ in range(draw(st.integers(1, 3))):
            seconds = draw(st.floats(0.5, 6))
            recordings.append(worn(position, clock, seconds, rate))
            clock = float(times_of(recordings[-1])[-1]) + draw(st.floats(0.2, 3))
    rate = draw(st.one_of(st.just(recordings[0].rate), st.floats(10, 120)))
    return recordings, rate


@settings(max_examples=60, deadline=None)
@given(two_devices(), st.sampled_from([0.0, 1.6e9]))
def test_a_known_movement_is_found_again_on_an_even_grid_within_the_overlap(made, epoch):
    recordings, rate = made
    moved = [replace(r, start=r.start + epoch) for r in recordings]
    try:
        joined = align(moved, ["wrist", "pocket"], rate=rate).recordings
    except DataError as error:
        assert "never" in str(error) or "share under 1 s" in str(error)
        joined = ()
    assume(joined)
    for recording in joined:
        times = times_of(recording) - epoch
        assert recording.rate == rate and len(recording) >= rate
        within = [
            any(
                r.start - 1e-5 <= times[0] and times[-1] <= times_of(r)[-1] + 1e-5
                for r in recordings
                if r.positions == (position,)
            )
            for position in ("wrist", "pocket")
        ]
        assert all(within)
        slowest = min(r.rate for r in recordings)
        bound = (2 * np.pi * FREQUENCY / slowest) ** 2 / 8 + 1e-4
        error = np.abs(recording.signal - np.hstack([felt(times, 3)] * 2))
        if all(r.rate <= rate for r in recordings):
            assert error.max() < bound
        else:  # filtered: the ends do not know how the movement goes on
            inner = error[int(11 + rate) : -int(11 + rate)]
            assert not len(inner) or inner.max() < bound + 0.02
        seconds = np.floor(times + 1e-6)
        near_edge = np.abs(times - np.rint(times)) < 0.5 / recordings[0].rate + 1e-6
        np.testing.assert_array_equal(
            recording.labels[~near_edge], seconds.astype(int)[~near_edge] % 3
        )


@settings(max_examples=40, deadline=None)
@given(two_devices())
def test_joined_stretches_are_all_that_both_recorded(made):
    recordings, rate = made
    spans = {
        p: [(r.start, float(times_of(r)[-1])) for r in recordings if r.positions == (p,)]
        for p in ("wrist", "pocket")
    }
    common = [
        min(e, f) - max(b, c)
        for b, e in spans["wrist"]
        for c, f in spans["pocket"]
        if min(e, f) - max(b, c) > 1 + 2 / rate
    ]
    assume(common)
    joined = align(recordings, ["wrist", "pocket"], rate=rate).recordings
    assert len(joined) >= len(common)
    assert sum(r.duration for r in joined) >= sum(common) - len(common) / rate - 1e-6


def test_joined_recordings_are_resampled_and_cut_like_any():
    pair = [worn("wrist", seconds=12), worn("pocket", 0.01, 12, rate=100)]
    joined = one(align(pair, ["wrist", "pocket"]))
    windows = cut([resample(joined, 25)], window=25, stride=25, within="recording", threshold=0)
    assert windows.x.shape[1:] == (25, 6)


def test_session_and_start_are_no_part_of_a_digest():
    assert digest([worn(start=0.0)]) == digest([replace(worn(), session="", start=7.0)])


def test_a_start_that_is_no_time_is_refused():
    with pytest.raises(DataError, match=r"wrist\.csv: a start at nan s is no time"):
        replace(worn(), start=float("nan"))


def spsw_file(root: Path, device: str, first_ms: int, rate: float, labels: list[str]) -> None:
    path = root / "DATA" / "s03" / f"s03_01_{device}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["x_acc,y_acc,z_acc,x_gyro,y_gyro,z_gyro,timestamp,label"]
    for i, label in enumerate(labels):
        time = first_ms + 1000 * i / rate
        lines.append(f"{(time - 1657534412342) / 1000:.4f},0,9.8,0,0,0,{time:.0f},{label}")
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("cache", [False, True])
def test_phone_and_watch_of_an_execution_are_joined_by_their_timestamps(cache, tmp_path):
    """Their x axes show the time itself, so both must agree in every joined sample."""
    spsw_file(tmp_path, "sw", 1657534412342, 104.3, ["SEATED"] * 500 + ["WALKING"] * 543)
    spsw_file(tmp_path, "sp", 1657534413000, 102.4, ["WALKING"] * 1024)
    for _ in range(2 if cache else 1):
        recordings = load("spsw", tmp_path, cache=cache)
        assert [r.session for r in recordings] == ["01", "01"]
        joined = one(align(recordings, ["wrist", "pocket"]))
        assert [c.name for c in joined.channels][::6] == ["wrist_acc_x", "pocket_acc_x"]
        np.testing.assert_allclose(joined.signal[:, 6], joined.signal[:, 0], atol=2e-3)
        assert joined.start == pytest.approx(1657534413.0, abs=0.02)
        change = int(np.flatnonzero(np.diff(joined.labels))[0]) + 1
        assert joined.start + change / 100 == pytest.approx(1657534412.342 + 500 / 104.3, abs=0.02)


def test_the_labels_of_phone_and_watch_agree_once_aligned(real_data: Path):
    if not (real_data / "spsw").is_dir():
        pytest.skip("no spsw")
    recordings = load("spsw", real_data)
    watch = align(recordings, ["wrist", "pocket"])
    phone = align(recordings, ["pocket", "wrist"])
    assert len(watch.recordings) == len(recordings) / 2 == 175 and watch.left_out == ()
    same = []
    for ours, theirs in zip(watch.recordings, phone.recordings, strict=True):
        ahead = round((theirs.start - ours.start) * 100)  # the two grids start a sample apart
        a, b = ours.labels[max(ahead, 0) :], theirs.labels[max(-ahead, 0) :]
        length = min(len(a), len(b))
        same.append((a[:length] == b[:length]).mean())
    assert np.mean(same) > 0.995 and min(same) > 0.985
