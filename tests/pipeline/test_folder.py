"""Nothing in a run folder is ever half there, and two runs never share one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyhar.errors import DataError
from tinyhar.pipeline.folder import RunFolder


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_text("a.txt", "old")
    with pytest.raises(RuntimeError), folder.writing("a.txt") as draft:
        draft.write_text("half of the ne")
        raise RuntimeError("power cut")
    assert (folder / "a.txt").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_stage_is_done_only_with_its_own_key(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.facts("teach", "k1") is None
    folder.begin("teach", "k1")
    assert folder.facts("teach", "k1") is None
    folder.finish("teach", "k1", {"f1": 0.9})
    assert folder.facts("teach", "k1") == {"f1": 0.9}
    assert folder.facts("teach", "k2") is None


def test_a_damaged_stage_file_means_the_stage_is_not_done(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.finish("teach", "k", {})
    (folder / "stages" / "teach.json").write_text('{"key": "k", "fac')
    assert folder.facts("teach", "k") is None


def test_snapshots_of_another_recipe_are_forgotten(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    snapshot = tmp_path / "teacher" / "snapshot.npz"
    snapshot.parent.mkdir()
    folder.begin("teach", "k1")
    snapshot.touch()
    folder.begin("teach", "k1")
    assert snapshot.exists()
    folder.begin("teach", "k2")
    assert not snapshot.exists()


def test_a_second_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with (
        RunFolder(tmp_path).held(),
        pytest.raises(DataError, match="another run"),
        RunFolder(tmp_path).held(),
    ):
        pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(DataError, match="file"), RunFolder(file / "run").held():
        pass
