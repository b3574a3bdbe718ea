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


@pytest.mark.parametrize("harm", ["truncate", "change", "remove"])
def test_a_file_that_is_not_as_its_stage_left_it_is_named(tmp_path: Path, harm: str) -> None:
    folder = RunFolder(tmp_path)
    folder.begin("quantise", "k")
    folder.write_bytes("int8/model.tflite", bytes(100))
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "model.h").write_text("by another hand")
    folder.leaves("export")
    folder.finish("quantise", "k", {})
    assert folder.damaged("quantise") == []
    file = tmp_path / "export" / "model.h"
    if harm == "remove":
        file.unlink()
    else:
        file.write_text("by another" if harm == "truncate" else "by another hanD")
    assert folder.damaged("quantise") == ["export/model.h"]


def test_an_adopted_stage_is_done_with_all_its_files(tmp_path: Path) -> None:
    teacher, student = RunFolder(tmp_path / "teacher"), RunFolder(tmp_path / "student")
    teacher.begin("teach", "k")
    teacher.write_text("teacher/model.keras", "weights")
    teacher.finish("teach", "k", {"f1": 0.9})
    for _ in range(2):
        student.adopt(teacher, ["teach"])
    assert student.facts("teach", "k") == {"f1": 0.9}
    assert student.damaged("teach") == []
    student.write_text("teacher/model.keras", "other weights")
    assert (tmp_path / "teacher" / "teacher" / "model.keras").read_text() == "weights"


def test_a_stage_that_is_unfinished_or_damaged_is_not_adopted(tmp_path: Path) -> None:
    teacher, student = RunFolder(tmp_path / "teacher"), RunFolder(tmp_path / "student")
    with pytest.raises(DataError, match="not finished"):
        student.adopt(teacher, ["teach"])
    teacher.write_text("teacher/model.keras", "weights")
    teacher.finish("teach", "k", {})
    (tmp_path / "teacher" / "teacher" / "model.keras").write_text("wei")
    with pytest.raises(DataError, match=r"teacher/model\.keras is damaged"):
        student.adopt(teacher, ["teach"])
    assert student.facts("teach") is None


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


def test_work_that_fails_at_once_leaves_no_folder_behind(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(DataError, match="no data"), folder.held():
        folder.write_text("recipe.toml", "")
        raise DataError("no data")
    assert not folder.root.exists()


def test_finished_stages_and_folders_of_others_outlive_a_failure(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    mine, run = RunFolder(tmp_path / "mine"), RunFolder(tmp_path / "run")
    with pytest.raises(DataError), mine.held():
        raise DataError("no data")
    with pytest.raises(DataError), run.held():
        run.finish("prepare", "k", {})
        raise DataError("no compiler")
    assert mine.root.exists()
    assert run.facts("prepare", "k") == {}
