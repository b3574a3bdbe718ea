"""OpenPack on small files in the official layout, unpacked and as downloaded."""

from __future__ import annotations

import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tinyhar.cli.data import app
from tinyhar.errors import DataError
from tinyhar.recordings import STANDARD_GRAVITY, align, load, openpack

NOON = 1_634_178_335_400
"""ms since 1970; 2021-10-14 11:25:35.400 in Japan."""
JAPAN = timezone(timedelta(hours=9))
HEAD = "unixtime,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z,quat_w,quat_x,quat_y,quat_z"

Files = dict[str, str]


def sensor(stamps: np.ndarray | list[int] | None = None) -> str:
    """acc_x in g counts the seconds, gyro_z in deg/s is 90; 10 s in steps of 30 ms."""
    stamps = NOON + 30 * np.arange(334) if stamps is None else np.asarray(stamps)
    rows = [f"{t},{(t - NOON) / 1000:.4f},0,1,0,0,90,1,0,0,0" for t in stamps]
    return "\n".join([HEAD, *rows]) + "\n"


def moment(milliseconds: int) -> str:
    return str(datetime.fromtimestamp((NOON + milliseconds) / 1000, JAPAN))


def table(*operations: tuple[int, int, int]) -> str:
    """Lines of (id, start, end), in ms from NOON."""
    rows = [
        f"{i},U0101,S0100,1,{number},name,{moment(start)},{moment(end)},[]"
        for i, (number, start, end) in enumerate(operations)
    ]
    return "\n".join(["uuid,user,session,box,id,operation,start,end,actions", *rows]) + "\n"


def session(user: str = "U0101", name: str = "S0100", **files: str | None) -> Files:
    """Both wrists and a table, unless told otherwise; None leaves a file out."""
    content: dict[str, str | None] = {
        "atr01": sensor(),
        "atr02": sensor(),
        "table": table((100, 0, 3000), (8100, 3000, 5000), (1000, 6000, 8000)),
    }
    places = {"table": f"{user}/annotation/openpack-operations/{name}.csv"}
    return {
        places.get(key, f"{user}/atr/{key}/{name}.csv"): text
        for key, text in (content | files).items()
        if text is not None
    }


def unpacked(root: Path, files: Files) -> Path:
    for name, text in files.items():
        path = root / "openpack" / "v1.0.0" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def zipped(root: Path, files: Files) -> Path:
    (root / "openpack").mkdir(exist_ok=True)
    for user in sorted({name[:5] for name in files}):
        with zipfile.ZipFile(root / "openpack" / f"{user}.zip", "w") as archive:
            for name in (name for name in files if name.startswith(user)):
                archive.writestr(name, files[name])
            archive.writestr(f"{user}/e4/e401/acc/S0100.csv", "time,acc_x\n")
    return root


def read(root: Path, files: Files):
    return load("openpack", unpacked(root, files), cache=False)


@pytest.mark.parametrize("keep", [unpacked, zipped])
def test_units_positions_and_names_are_right(keep, tmp_path):
    files = session() | session("U0102", "S0300", atr03=sensor(), atr04=sensor())
    recordings = load("openpack", keep(tmp_path, files), cache=False)
    assert [(r.subject, r.session, r.positions) for r in recordings] == [
        ("U0101", "U0101-S0100", ("right_wrist",)),
        ("U0101", "U0101-S0100", ("left_wrist",)),
        ("U0102", "U0102-S0300", ("right_wrist",)),
        ("U0102", "U0102-S0300", ("left_wrist",)),
        ("U0102", "U0102-S0300", ("right_upper_arm",)),
        ("U0102", "U0102-S0300", ("left_upper_arm",)),
    ]
    first = recordings[0]
    assert first.rate == pytest.approx(100 / 3) and first.start == NOON / 1000
    assert [c.name for c in first.channels][::3] == ["right_wrist_acc_x", "right_wrist_gyro_x"]
    assert {c.unit for c in first.channels} == {"m/s^2", "rad/s"}
    seconds = 0.03 * np.arange(334)
    np.testing.assert_allclose(first.signal[:, 0], seconds * STANDARD_GRAVITY, rtol=1e-4)
    np.testing.assert_allclose(first.signal[:, 2], STANDARD_GRAVITY, rtol=1e-6)
    np.testing.assert_allclose(first.signal[:, 5], np.pi / 2, rtol=1e-6)
    assert all(r.notes == () for r in recordings)


def test_operations_are_labels_by_time_and_silence_is_unlabelled(tmp_path):
    recording = read(tmp_path, session())[0]
    assert len(recording.activities) == 11 and recording.activities[-1] == "null"
    names = [(*recording.activities, None)[label] for label in recording.labels]
    expected = ["picking"] * 100 + ["null"] * 67 + [None] * 33
    expected += ["fill_out_order"] * 67 + [None] * 67
    assert names == expected


def test_system_errors_count_as_null_and_a_later_line_holds(tmp_path):
    operations = table((300, 0, 9000), (8200, 3000, 6000))
    recording = read(tmp_path, session(table=operations))[0]
    names = {recording.activities[label] for label in recording.labels[105:195]}
    assert names == {"null"}
    assert recording.activities[recording.labels[0]] == "assemble_box"


def test_workers_who_came_twice_are_one_person_in_two_sessions(tmp_path):
    files: Files = {}
    for user in ("U0105", *openpack.PEOPLE):
        files |= session(user)
    recordings = load("openpack", zipped(tmp_path, files), cache=False)
    people = {r.session: r.subject for r in recordings}
    assert people == {
        "U0105-S0100": "U0105",
        "U0202-S0100": "U0105",
        "U0203-S0100": "U0108",
        "U0204-S0100": "U0110",
        "U0205-S0100": "U0107",
        "U0210-S0100": "U0103",
    }


@pytest.mark.parametrize("keep", [unpacked, zipped])
def test_both_wrists_are_joined_whatever_their_clocks_start_at(keep, tmp_path):
    late = sensor(NOON + 1007 + 30 * np.arange(200))
    recordings = load("openpack", keep(tmp_path, session(atr02=late)), cache=True)
    again = load("openpack", tmp_path, cache=True)
    assert [(r.session, r.start) for r in again] == [(r.session, r.start) for r in recordings]
    (joined,) = align(again, ["right_wrist", "left_wrist"]).recordings
    assert joined.start == pytest.approx((NOON + 1020) / 1000)
    np.testing.assert_allclose(joined.signal[:, 6], joined.signal[:, 0], atol=1e-3)
    assert len(joined) == 199


def test_a_gap_splits_and_a_short_hole_is_bridged(tmp_path):
    stamps = NOON + 30 * np.arange(334)
    stamps = np.concatenate([stamps[:50], stamps[51:100], stamps[130:150], stamps[200:]])
    files = session(atr01=sensor(stamps), atr02=None)
    first, second = read(tmp_path, files)
    assert (len(first), len(second)) == (100, 134)  # 0.6 s between the two gaps are too short
    assert second.start - first.start == pytest.approx(6.0)
    assert second.source.endswith("S0100.csv:6.00 s")
    np.testing.assert_allclose(np.diff(first.signal[:, 0]), 0.03 * STANDARD_GRAVITY, rtol=1e-2)
    assert first.notes == ("U0101 S0100, right_wrist: split at 2 holes",)
    assert second.notes == () and second.labels[0] == openpack.ACTIVITIES.index("fill_out_order")


def test_incomplete_and_repeated_rows_are_dropped_and_told(tmp_path):
    lines = sensor().splitlines()
    lines[20] = lines[20].replace(",0,1,", ",,1,")
    lines.insert(200, lines[200])
    recording = read(tmp_path, session(atr01="\n".join(lines)))[0]
    assert len(recording) == 334
    assert recording.notes == ("U0101 S0100, right_wrist: 2 rows dropped",)
    np.testing.assert_allclose(np.diff(recording.signal[:, 0]), 0.03 * STANDARD_GRAVITY, rtol=1e-2)


def test_a_clock_of_thirty_hertz_is_read_as_such(tmp_path):
    stamps = NOON + np.rint(np.arange(300) * 1000 / 30).astype(int)
    recording = read(tmp_path, session(atr01=sensor(stamps)))[0]
    assert recording.rate == 30 and len(recording) == 300


def test_a_session_without_table_is_unlabelled_and_told(tmp_path):
    files = session() | session("U0104", "S0400", table=None)
    recordings = read(tmp_path, files)
    assert set(recordings[0].labels) > {-1} and recordings[0].notes == ()
    assert set(recordings[2].labels) == {-1} == set(recordings[3].labels)
    note = "U0104 S0400: no table of operations, all of it unlabelled"
    assert recordings[2].notes == recordings[3].notes == (note,)
    assert recordings[2].activities == recordings[0].activities


def test_an_archive_that_holds_no_worker_s_folder_is_known_by_its_name(tmp_path):
    (tmp_path / "openpack").mkdir()
    with zipfile.ZipFile(tmp_path / "openpack" / "U0106.zip", "w") as archive:
        for name, text in session("U0106").items():
            archive.writestr(name.split("/", 1)[1], text)
    recordings = load("openpack", tmp_path, cache=False)
    assert [r.subject for r in recordings] == ["U0106"] * 2


def test_what_is_unpacked_beside_its_archive_is_read_once(tmp_path):
    zipped(tmp_path, session())
    (tmp_path / "openpack" / "U0101" / "U0101").mkdir(parents=True)
    for name, text in session().items():
        path = tmp_path / "openpack" / "U0101" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    recordings = load("openpack", tmp_path, cache=False)
    assert len(recordings) == 2 and ".zip" not in recordings[0].source


@pytest.mark.parametrize(
    "files, message",
    [
        (
            {"atr02": sensor().replace("gyro_y", "gyrus")},
            r"atr02/S0100\.csv: no column gyro_y; there is unixtime, acc_x",
        ),
        (
            {"table": table((100, 0, 900), (150, 900, 1900))},
            r"operations/S0100\.csv: line 3: no operation has id 150; there is 100, 200, .* 8200",
        ),
        (
            {"table": table((100, 0, 900)).replace("+09:00", "")},
            r"line 2: start '2021-10-14 .*' is no time with its zone, such as",
        ),
        ({"table": table((100, 900, 0))}, "line 2: the operation ends before it starts"),
        ({"table": "id,start\n100,x\n"}, "no column end; there is id, start"),
        ({"atr01": sensor()[:-400].replace("90", "ninety")}, "not a table with a header"),
        (
            {"atr01": sensor(NOON + 30 * (np.arange(334) % 200))},
            r"134 of 334 rows are incomplete or do not .* \(the first is line 202\)",
        ),
        (
            {"atr01": sensor(NOON // 1000 + np.arange(334))},
            "unixtime steps by 1 instead of 30 or 33.3 ms",
        ),
        ({"atr01": sensor([NOON])}, "holds 1 sample"),
        ({"atr01": HEAD + "\n"}, "holds no samples"),
    ],
)
def test_files_that_are_not_as_they_should_be_are_named(files, message, tmp_path):
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, session(**files))
    assert "\n" not in str(caught.value)


def test_a_damaged_archive_and_one_of_something_else(tmp_path):
    path = zipped(tmp_path, session()) / "openpack" / "U0101.zip"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"U0101\.zip: not a whole archive"):
        load("openpack", tmp_path, cache=False)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("U0101/e4/e401/acc/S0100.csv", "time,acc_x\n")
    with pytest.raises(DataError, match=r"holds no U0101/atr/atr01/S0100\.csv or the like"):
        load("openpack", tmp_path, cache=False)


def test_tinyhar_data_shows_it_and_tells_where_to_get_it(tmp_path):
    def run(*arguments: str) -> str:
        return CliRunner(env={"COLUMNS": "120"}).invoke(app, list(arguments)).output

    zipped(tmp_path, session() | session("U0202"))
    line = next(x for x in run("list", "--data", str(tmp_path)).splitlines() if "openpack" in x)
    assert line.rstrip().endswith("yes")
    text = run("info", "openpack", "--data", str(tmp_path))
    assert "4 recordings of 2 subjects" in text and "left_wrist_gyro_x/y/z [rad/s]" in text
    assert "fill_out_order" in text and "CC BY-NC-SA 4.0" in text
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"get U0101\.zip .*zenodo\.org/records/8145223 into .*"):
        load("openpack", tmp_path / "empty")
