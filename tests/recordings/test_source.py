from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tinyhar.errors import DataError
from tinyhar.recordings import DATASETS, data_root, load
from tinyhar.recordings.source import Archive, members

LABELS = "1 1 5 1 3\n"
ACC = "0.0 0.0 1.0\n" * 4
GYRO = "0.1 0.2 0.3\n" * 4
FILES = {
    "RawData/labels.txt": LABELS,
    "RawData/acc_exp01_user01.txt": ACC,
    "RawData/gyro_exp01_user01.txt": GYRO,
}


def zipped(path: Path, prefix: str = "HAPT Data Set/") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in FILES.items():
            archive.writestr(prefix + name, text)
    return path


def extracted(folder: Path) -> Path:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def wrapped(path: Path) -> Path:
    inner = zipped(path.with_name("inner.tmp"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("HAPT Data Set.zip", inner.read_bytes())
        archive.writestr("names.txt", "about")
    inner.unlink()
    return path


LAYOUTS = {
    "archive in its folder": lambda root: zipped(root / "hapt" / "HAPT_Data_Set.zip"),
    "archive in the root": lambda root: zipped(root / "HAPT_Data_Set.zip"),
    "archive by another name": lambda root: zipped(root / "hapt" / "download.zip"),
    "archive without a top folder": lambda root: zipped(root / "HAPT_Data_Set.zip", prefix=""),
    "archive in an archive": lambda root: wrapped(root / "HAPT_Data_Set.zip"),
    "extracted in its folder": lambda root: extracted(root / "hapt" / "HAPT Data Set"),
    "extracted without a top folder": lambda root: extracted(root / "hapt"),
    "extracted in the root": lambda root: extracted(root / "HAPT Data Set"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_found_wherever_it_was_put(layout, tmp_path):
    LAYOUTS[layout](tmp_path)
    (recording,) = load("hapt", tmp_path, cache=False)
    assert (recording.subject, len(recording)) == ("1", 4)
    assert recording.labels.tolist() == [4, 4, 4, -1]


def test_the_archive_itself_may_be_named(tmp_path):
    path = zipped(tmp_path / "x.zip")
    assert len(load("hapt", path, cache=False)) == 1


def test_a_missing_set_says_where_to_get_it_and_where_to_put_it(tmp_path):
    with pytest.raises(DataError) as caught:
        load("hapt", tmp_path)
    text = str(caught.value)
    assert "tinyhar data fetch hapt" in text
    assert DATASETS["hapt"].url in text
    assert str(tmp_path / "hapt" / "HAPT_Data_Set.zip") in text
    assert "\n" not in text


@pytest.mark.parametrize("keep", [0, 100, 400])
def test_a_truncated_archive_is_one_clear_error(keep, tmp_path):
    path = zipped(tmp_path / "hapt" / "HAPT_Data_Set.zip")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(
        DataError, match=r"HAPT_Data_Set\.zip: not a whole archive .*fetch it again"
    ):
        load("hapt", tmp_path)


def test_a_damaged_member_is_named(tmp_path):
    path = zipped(tmp_path / "HAPT_Data_Set.zip")
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("HAPT Data Set/RawData/labels.txt").header_offset
    content[at + 30 + len("HAPT Data Set/RawData/labels.txt") + 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"labels\.txt is damaged"):
        load("hapt", tmp_path, cache=False)


def test_another_archive_by_the_right_name_is_noticed(tmp_path):
    with zipfile.ZipFile(tmp_path / "HAPT_Data_Set.zip", "w") as archive:
        archive.writestr("holiday.txt", "sun")
    with pytest.raises(DataError, match=r"holds no RawData/labels\.txt"):
        load("hapt", tmp_path)


def test_tar_gz_is_read_in_place(tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("top/a.txt")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    archive = Archive(tmp_path / "a.tar.gz")
    ((name, _),) = members(archive, r"a\.txt", "a.txt")
    assert archive.read(name) == b"abc"


def test_data_root_takes_the_option_before_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYHAR_DATA", "/nowhere")
    assert data_root(tmp_path) == tmp_path
    with pytest.raises(DataError, match=r"/nowhere.*TINYHAR_DATA"):
        data_root(None)
    monkeypatch.delenv("TINYHAR_DATA")
    with pytest.raises(DataError, match=r"--data .* TINYHAR_DATA"):
        data_root(None)


def test_an_unknown_name_names_the_nearest_or_all_that_are_known():
    with pytest.raises(DataError, match=r"'hapd'; did you mean 'hapt'\?"):
        load("hapd")
    with pytest.raises(DataError, match=r"'xyz'; there is hapt.*realdisp.*synthetic"):
        load("xyz")
