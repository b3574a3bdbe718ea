from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyhar.errors import DataError
from tinyhar.recordings import csv, load

EXAMPLE = Path(__file__).parent / "data" / "anna_drinking.csv"
HEADER = "time_s,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z,label"


def rows(count: int = 30, rate: float = 50.0) -> list[str]:
    return [f"{i / rate:.4f},{i},0,9.8,0.1,0.2,0.3,{'a' if i < 10 else 'b'}" for i in range(count)]


def read(tmp_path: Path, text: str, name: str = "anna_1.csv"):
    (tmp_path / name).write_text(text)
    return load("csv", tmp_path, cache=False)


def test_the_example_is_read():
    recordings = load("csv", EXAMPLE.parent, cache=False)
    assert [r.subject for r in recordings] == ["anna", "bert", "cleo"]
    recording = recordings[0]
    assert recording.positions == ("wrist",)
    assert recording.rate == 50
    assert recording.activities == ("drinking", "resting")
    assert set(recording.labels.tolist()) == {-1, 0, 1}
    assert abs(np.linalg.norm(recording.signal[0, :3]) - 9.8) < 0.5


def test_the_docstring_s_lines_are_the_format(tmp_path):
    """What `tinyhar data info csv` shows is itself a recording."""
    block = [line.strip() for line in csv.__doc__.splitlines()]
    start = block.index("# subject: anna")
    (recording,) = read(tmp_path, "\n".join(block[start : start + 8]) + "\n")
    assert len(recording) == 3
    assert recording.activities == ("drinking", "resting")


def test_subject_comes_from_the_file_name_unless_a_comment_says(tmp_path):
    body = "\n".join([HEADER, *rows()])
    assert read(tmp_path, body)[0].subject == "anna"
    assert read(tmp_path, "# subject: bert\n" + body)[0].subject == "bert"


def test_units_are_converted(tmp_path):
    body = [row.replace(",0,9.8,", ",0,0.9,") for row in rows(3)]
    text = "# unit acc: g\n# unit gyro: deg/s\n# position: ankle\n" + "\n".join([HEADER, *body])
    (recording,) = read(tmp_path, text)
    assert recording.signal[0, 2] == pytest.approx(0.9 * 9.80665, rel=1e-6)
    assert recording.signal[0, 3] == pytest.approx(0.1 * np.pi / 180, rel=1e-6)
    assert recording.channels[0].name == "ankle_acc_x"
    assert recording.channels[0].unit == "m/s^2"


def test_jitter_goes_onto_an_even_grid(tmp_path):
    rng = np.random.default_rng(0)
    times = np.arange(200) / 50 + rng.uniform(-0.005, 0.005, 200)
    lines = [f"{t:.5f},{3 * t:.5f},0,9.8" for t in times]
    (recording,) = read(tmp_path, "\n".join(["time_s,acc_x,acc_y,acc_z", *lines]))
    assert recording.rate == 50
    expected = 3 * (times[0] + np.arange(len(recording)) / 50)
    np.testing.assert_allclose(recording.signal[:, 0], expected, atol=1e-4)
    assert recording.labels.tolist() == [-1] * len(recording)


def test_all_files_share_one_list_of_activities(tmp_path):
    (tmp_path / "b.csv").write_text("\n".join([HEADER, *(r[:-1] + "zz" for r in rows())]))
    first, second = read(tmp_path, "\n".join([HEADER, *rows()]), "a.csv")
    assert first.activities == second.activities == ("a", "b", "zz")
    assert second.labels.tolist() == [2] * 30


BAD = {
    "nan": (
        lambda r: [*r[:5], r[5].replace("9.8", ""), *r[6:]],
        r"acc_z is not a number for 1 sample from 0\.10 s on; cut",
    ),
    "nans": (
        lambda r: [s.replace("9.8", "") if i in (5, 6, 9) else s for i, s in enumerate(r)],
        r"not a number for 2 samples from 0\.10 s on \(3 such samples in all\)",
    ),
    "fields missing": (
        lambda r: [*r[:5], "0.1,0,0,9.8", *r[6:]],
        "line 7 has 4 fields, but the header names 8",
    ),
    "cut off": (lambda r: [*r, "0.6"], "line 32 has 1 field, but the header names 8"),
    "a field too many": (lambda r: [s + "," for s in r], "line 2 has 9 fields"),
    "decimal commas": (
        lambda r: [s.replace(".", ",") for s in r],
        "line 2 has 13 fields, but the header names 8, as if .* decimal comma; save it with",
    ),
    "quoted decimal commas": (
        lambda r: ['"0,00","0,12","-0,31","9,79","0,01","0","0",a', *r[1:]],
        "line 2 has numbers with a decimal comma",
    ),
    "milliseconds": (
        lambda r: [f"{20 * i},{s.split(',', 1)[1]}" for i, s in enumerate(r)],
        "time_s goes up by 20 from sample to sample, as milliseconds do; divide it by 1000$",
    ),
    "microseconds": (
        lambda r: [f"{20e3 * i},{s.split(',', 1)[1]}" for i, s in enumerate(r)],
        "as microseconds do",
    ),
    "nanoseconds": (
        lambda r: [f"{20e6 * i},{s.split(',', 1)[1]}" for i, s in enumerate(r)],
        "as nanoseconds do; divide it by 1000000000$",
    ),
    "text": (lambda r: [*r[:5], r[5].replace("9.8", "fast"), *r[6:]], "fast"),
    "backwards": (lambda r: [*r[:5], r[3], *r[5:]], r"time_s does not increase from sample 5"),
    "gap": (
        lambda r: r[:5] + [f"{2 + i},0,0,0,0,0,0,a" for i in range(3)],
        r"nothing for .* 0\.08 s",
    ),
    "one sample": (lambda r: r[:1], "one sample"),
    "no rows": (lambda r: [], "no samples"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_rows_are_one_clear_error(case, tmp_path):
    change, message = BAD[case]
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, "\n".join([HEADER, *change(rows())]) + "\n")
    assert "anna_1.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "head, message",
    [
        ("time_s,acc_x,acc_y,gyro_x,gyro_y,gyro_z,label,extra", "unknown column 'extra'"),
        ("time_s,acc_x,acc_y,label", "no column acc_z"),
        ("acc_x,acc_y,acc_z", "no column time_s"),
        ("time_s,acc_x,acc_y,acc_z,gyro_x", "no column gyro_y"),
        ("# unit acc: furlong\n" + HEADER, "unknown unit 'furlong' for acc"),
        ("# unit mag: uT\n" + HEADER, "unknown comment '# unit mag:'; known are subject"),
        ("# unti acc: g\n" + HEADER, "'# unti acc:'; did you mean 'unit acc'\\? .*'# note:'"),
        ("# units acc: g\n" + HEADER, "did you mean 'unit acc'"),
        ("#Subjekt: anna\n" + HEADER, "did you mean 'subject'"),
        ("# unit acc g\n" + HEADER, "has no colon; write '# unit acc: ...'"),
        ("# subject=anna\n" + HEADER, "has no colon; write '# subject: ...'"),
        ("Time_s,acc_x,acc_y,acc_z", "unknown column 'Time_s'; did you mean 'time_s'"),
        ("time,acc_x,acc_y,acc_z", "did you mean 'time_s'"),
        ("time_s,accel_x,acc_y,acc_z", "unknown column 'accel_x'; did you mean 'acc_x'"),
        (HEADER + ",", "column 9 has no name"),
        (HEADER.replace("acc_y", "acc_x"), "there are 2 columns acc_x"),
        (HEADER.replace(",", ";"), "separated by semicolons; save it with commas"),
        (HEADER.replace(",", "\t"), "separated by tabs"),
        ("# note: no header", "begins with numbers, there is no header line; expected .*time_s"),
        ("# rate: fast\n" + HEADER, "rate 'fast'"),
        ("# rate: 25\n" + HEADER, r"rate says 25 Hz, but time_s runs at 50\.0 Hz"),
    ],
)
def test_bad_heads_are_one_clear_error(head, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read(tmp_path, "\n".join([head, *rows()]))


@pytest.mark.parametrize("text", ["", "\n\n", "# subject: anna\n", "# subject: anna"])
def test_an_empty_file_says_so(text, tmp_path):
    with pytest.raises(DataError, match=r"anna_1\.csv: the file is empty; expected a header"):
        read(tmp_path, text)


def test_semicolons_and_decimal_commas_are_told_at_once(tmp_path):
    lines = [row.replace(",", ";").replace(".", ",") for row in [HEADER, *rows()]]
    with pytest.raises(DataError, match="separated by semicolons, and with decimal commas;"):
        read(tmp_path, "\n".join(lines))


def test_free_comments_go_behind_note_or_have_no_colon(tmp_path):
    comments = "# note: units are: mine\n# note: twice\n#\n# Logged at the kitchen table\n"
    (recording,) = read(tmp_path, comments + "\n".join([HEADER, *rows()]))
    assert recording.subject == "anna"


def still(acc: str, gyro: str = "0.1,0.2,0.3", count: int = 50) -> list[str]:
    return [HEADER, *(f"{i / 50:.2f},{acc},{gyro},a" for i in range(count))]


@pytest.mark.parametrize(
    "comment, acc, message",
    [
        ("", "0.1,0.2,0.98", r"acc is 1\.01, which is gravity in g, .*'# unit acc: g' above"),
        ("# unit acc: g", "0.1,0.2,9.8", r"gravity in m/s\^2, not in g: write '# unit acc: m/s"),
        ("", "3,20,990", r"acc is 990 m/s\^2 where gravity alone makes 9\.81; convert it"),
        ("# unit acc: g", "0.01,0.02,0.03", "gravity is missing: record acceleration with"),
        ("", "0.1,0.2,0.1", "gravity is missing"),
    ],
)
def test_acceleration_in_another_unit_is_noticed(comment, acc, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read(tmp_path, "\n".join([comment, *still(acc)]).strip())


@pytest.mark.parametrize("acc", ["0,0,6", "9.8,0,0", "12,9,5", "0,30,0"])
def test_plausible_acceleration_passes(acc, tmp_path):
    assert len(read(tmp_path, "\n".join(still(acc)))[0]) == 50


def test_turning_faster_than_any_wrist_is_noticed(tmp_path):
    text = "\n".join(still("0,0,9.8", "3,120,-2"))
    with pytest.raises(DataError, match=r"gyro goes beyond 120 rad/s.*'# unit gyro: deg/s'"):
        read(tmp_path, text)
    assert len(read(tmp_path, "# unit gyro: deg/s\n" + text)[0]) == 50


def test_a_file_that_lacks_a_sensor_among_others_is_named(tmp_path):
    without = [",".join(line.split(",")[:4]) for line in still("0,0,9.8")]
    (tmp_path / "bert_1.csv").write_text("\n".join(without))
    with pytest.raises(DataError, match=r"bert_1\.csv: has no gyro_x, .* but anna_1\.csv has;"):
        read(tmp_path, "\n".join(still("0,0,9.8")))
    (tmp_path / "bert_1.csv").write_text("\n".join(["# position: ankle", *without]))
    anna, bert = read(tmp_path, "\n".join(still("0,0,9.8")))
    assert (len(anna.channels), len(bert.channels)) == (6, 3)


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00" * 10)
    with pytest.raises(DataError, match=r"a\.csv: not UTF-8"):
        load("csv", tmp_path)


def test_an_activity_may_be_called_none(tmp_path):
    lines = [f"{i / 50},0,0,9.8,{'None' if i < 10 else ''}" for i in range(20)]
    (recording,) = read(tmp_path, "\n".join(["time_s,acc_x,acc_y,acc_z,label", *lines]))
    assert recording.activities == ("None",)
    assert recording.labels.tolist() == [0] * 10 + [-1] * 10


@pytest.mark.parametrize("other", ["# subject: ANNA\n", "# subject: bert\n"])
def test_two_spellings_of_one_name_are_refused(tmp_path, other):
    """One person under two names could train and test; one activity would be two classes."""
    read(tmp_path, "\n".join([HEADER, *rows()]) + "\n")
    text = other + "\n".join([HEADER, *rows()]) + "\n"
    if "bert" in other:
        text = text.replace(",a\n", ",A\n")
    with pytest.raises(DataError, match=r"anna_1\.csv says '(anna|a)': write both alike"):
        read(tmp_path, text, "anna_2.csv")
