"""What a run left on the desk, and what is said when it is missing or damaged."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tinyhar.band.desk import BUNDLE, INT8, VALIDATION, read_bundle, read_desk, read_model
from tinyhar.errors import TinyharError

READERS = {BUNDLE: read_bundle, INT8: read_model, VALIDATION: read_desk}


@pytest.fixture
def copy(bare_run: Path, tmp_path: Path) -> Path:
    for name in READERS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(bare_run / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", READERS)
def test_a_file_cut_short_is_named(copy: Path, name: str) -> None:
    READERS[name](copy)
    whole = (copy / name).read_bytes()
    for size in (0, 7, 200, len(whole) // 2, len(whole) - 100):
        (copy / name).write_bytes(whole[:size])
        with pytest.raises(TinyharError, match=f"{copy / name}") as caught:
            READERS[name](copy)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_cannot_be_read_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(TinyharError, match=rf"{copy / name}: cannot be read \(No such file"):
        READERS[name](copy)
    (copy / name).mkdir()
    with pytest.raises(TinyharError, match=rf"{copy / name}: cannot be read \(Is a directory"):
        READERS[name](copy)
    with pytest.raises(TinyharError, match=r"cannot be read \(Not a directory"):
        READERS[name](Path(__file__))


def tinyhar(*arguments: object) -> tuple[int, list[str], list[str]]:
    """Status, and the lines on stdout and on stderr, of a process of its own."""
    code = (
        "import sys\nfrom tinyhar.cli.main import main\n"
        "try: main()\nfinally: assert 'tensorflow' not in sys.modules"
    )
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def test_export_writes_and_says_one_line(copy: Path) -> None:
    pytest.importorskip("tflite_micro")
    status, out, err = tinyhar("export", copy, "--out", copy / "c")
    assert (status, out) == (0, [])
    assert "README.txt" in "".join(err)
    assert (copy / "c" / "README.txt").is_file()


@pytest.mark.parametrize("out", ["file", "file/sub"])
def test_export_to_where_nothing_can_be_written_is_bad_input(copy: Path, out: str) -> None:
    pytest.importorskip("tflite_micro")
    (copy / "file").write_text("")
    status, _, err = tinyhar("export", copy, "--out", copy / out)
    assert (status, len(err)) == (2, 1)
    assert f"{copy / out}: cannot be written" in err[0]


def test_export_of_what_is_no_run_is_bad_input(copy: Path) -> None:
    (copy / INT8).write_bytes((copy / INT8).read_bytes()[:1000])
    status, _, err = tinyhar("export", copy, "--out", copy / "c")
    assert (status, len(err)) == (2, 1)
    assert f"{copy / INT8}: damaged .tflite model" in err[0]
