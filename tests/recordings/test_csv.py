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
    (recording,) = load("csv", EXAMPLE.parent, cache=False)
    assert recording.subject == "anna"
    assert recording.positions == ("wrist",)
    assert recording.rate == 50
    assert recording.activities == ("drinking", "resting")
    assert set(recording.labels.tolist()) == {-1, 0, 1}
    assert abs(np.linalg.norm(recording.signal[0, :3]) - 9.8) < 0.5


def test_the_docstring_s_lines_are_the_format(tmp_path):
    """What `tinyhar data info csv` shows is itself a recording."""
    block = [line.strip() for line in csv.__doc__.splitlines()]
    start = block.index("# subject: anna")
    (recording,) = read(tmp_path, "\n".join(block[start : start + 7]) + "\n")
    assert len(recording) == 3
    assert recording.activities == ("drinking", "resting")


def test_subject_comes_from_the_file_name_unless_a_comment_says(tmp_path):
    body = "\n".join([HEADER, *rows()])
    assert read(tmp_path, body)[0].subject == "anna"
    assert read(tmp_path, "# subject: bert\n" + body)[0].subject == "bert"


def test_units_are_converted(tmp_path):
    text = "# unit acc: g\n# unit gyro: deg/s\n# position: ankle\n" + "\n".join([HEADER, *rows()])
    (recording,) = read(tmp_path, text)
    assert recording.signal[0, 2] == pytest.approx(9.8 * 9.80665, rel=1e-6)
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
        r"acc_z is not a number .*0\.10 s",
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
        ("# unit mag: uT\n" + HEADER, "'unit mag' is not one of"),
        ("# rate: fast\n" + HEADER, "rate 'fast'"),
        ("# rate: 25\n" + HEADER, r"rate says 25 Hz, but time_s runs at 50\.0 Hz"),
    ],
)
def test_bad_heads_are_one_clear_error(head, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read(tmp_path, "\n".join([head, *rows()]))


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00" * 10)
    with pytest.raises(DataError, match=r"a\.csv: not UTF-8"):
        load("csv", tmp_path)


def test_an_activity_may_be_called_none(tmp_path):
    lines = [f"{i / 50},0,0,9.8,{'None' if i < 10 else ''}" for i in range(20)]
    (recording,) = read(tmp_path, "\n".join(["time_s,acc_x,acc_y,acc_z,label", *lines]))
    assert recording.activities == ("None",)
    assert recording.labels.tolist() == [0] * 10 + [-1] * 10
