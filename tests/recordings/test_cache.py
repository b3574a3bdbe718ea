from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tinyhar.recordings import cache, load

HEAD = "# subject: anna\ntime_s,acc_x,acc_y,acc_z,label\n"


def write(folder: Path, value: float, name: str = "a.csv") -> None:
    rows = "".join(f"{i / 10:.1f},{value},0,9.8,{'rest' if i else ''}\n" for i in range(30))
    (folder / name).write_text(HEAD + rows)


@pytest.fixture
def kept(tmp_path, monkeypatch) -> Path:
    """An empty cache folder of one test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("TINYHAR_CACHE", str(folder))
    return folder


def root_with_recording(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    root.mkdir()
    write(root, 1.0)
    return root


def test_a_second_load_gives_the_same_from_the_cache(tmp_path, kept, monkeypatch):
    root = root_with_recording(tmp_path)
    (first,) = load("csv", root)
    monkeypatch.setattr("tinyhar.recordings.csv._read_file", None)  # the reader cannot run again
    (second,) = load("csv", root)
    np.testing.assert_array_equal(first.signal, second.signal)
    np.testing.assert_array_equal(first.labels, second.labels)
    assert second.signal.dtype == np.float32 and second.labels.dtype == np.int16
    for name in ("subject", "rate", "channels", "activities", "source", "notes"):
        assert getattr(first, name) == getattr(second, name)


def test_changed_files_are_read_again_and_the_old_cache_goes(tmp_path, kept):
    root = root_with_recording(tmp_path)
    load("csv", root)
    write(root, 2.0)
    os.utime(root / "a.csv", ns=(1, 1))
    (recording,) = load("csv", root)
    assert recording.signal[0, 0] == 2.0
    assert len(list(kept.glob("csv-*.npz"))) == 1


@pytest.mark.parametrize("harm", ["cut", "flip", "empty"])
def test_a_damaged_cache_is_rebuilt(harm, tmp_path, kept):
    root = root_with_recording(tmp_path)
    load("csv", root)
    (path,) = kept.glob("*.npz")
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    path.write_bytes({"cut": whole[: len(whole) // 2], "flip": bytes(flipped), "empty": b""}[harm])
    assert cache.restore(path) is None
    (recording,) = load("csv", root)
    assert recording.signal[0, 0] == 1.0
    assert path.read_bytes() == whole


def test_a_cache_folder_that_is_a_file_is_no_error(tmp_path, kept):
    kept.write_text("in the way")
    assert len(load("csv", root_with_recording(tmp_path))) == 1


def test_without_cache_nothing_is_written(tmp_path, kept):
    load("csv", root_with_recording(tmp_path), cache=False)
    assert not kept.exists()
