"""A teacher with more sensors than the band: the same windows, its own channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.pipeline.watching import Diary
from tinyhar import pipeline, recipe
from tinyhar.errors import DataError
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.prepare import prepare, read
from tinyhar.recipe import Recipe

pytestmark = pytest.mark.timeout(900)

ACTIVITIES = {1: 0.0, 9: 1.8, 18: 3.1}
"""Of DSADS: a frequency each, Hz."""


@pytest.fixture(scope="module")
def dsads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four people, three activities, eight segments each, in the official layout."""
    root = tmp_path_factory.mktemp("recordings")
    random = np.random.default_rng(0)
    time = np.arange(125)[:, None] / 25.0
    for person in range(1, 5):
        for activity, frequency in ACTIVITIES.items():
            folder = root / "dsads" / "data" / f"a{activity:02d}" / f"p{person}"
            folder.mkdir(parents=True)
            for segment in range(1, 9):
                swing = np.sin(2 * np.pi * frequency * time + random.uniform(0, 6, 45))
                signal = swing * random.uniform(1, 3, 45) + random.normal(0, 0.3, (125, 45))
                signal[:, 2::9] += 9.8
                np.savetxt(folder / f"s{segment:02d}.txt", signal, "%.5f", delimiter=",")
    return root


def wide(**changes: object) -> Recipe:
    few = [f"{part}.training.epochs=2" for part in ("teacher", "student")]
    return recipe.changed(
        recipe.load("dsads-tsak"),
        [
            *few,
            "split.leave_one_out=[]",
            'split.test=["4"]',
            'data.activities=["sitting", "walking_in_parking_lot", "jumping"]',
            "teacher.options={width=8, heads=2}",
            "student.options={widths=[8, 8, 8, 8]}",
            "quantisation.method=ptq",
            'band.boards=["host"]',
            *(f"{key}={value}" for key, value in changes.items()),
        ],
    )


def test_band_and_teacher_see_the_same_windows_through_their_own_sensors(
    dsads: Path, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path)
    prepare(wide(), folder, dsads)
    band = read(folder)
    teacher = band.teacher
    assert teacher is not None
    assert [c.name for c in band.channels] == [f"right_wrist_acc_{axis}" for axis in "xyz"]
    assert len(teacher.channels) == 30
    assert {c.kind for c in teacher.channels} == {"acc", "gyro"}
    at = [teacher.channels.index(channel) for channel in band.channels]
    np.testing.assert_array_equal(teacher.counts[:, :, at], band.counts)
    np.testing.assert_allclose(teacher.normalisation.mean[at], band.normalisation.mean)
    assert teacher.split == band.split


def test_the_other_wrist_trains_and_never_tests(dsads: Path, tmp_path: Path) -> None:
    alone, with_other = RunFolder(tmp_path / "alone"), RunFolder(tmp_path / "both")
    prepare(wide(), alone, dsads)
    prepare(wide(**{"data.borrow": '["left_wrist"]'}), with_other, dsads)
    own, both = read(alone), read(with_other)
    count = int(own.side("train").sum())
    assert both.borrowed == count == len(both.y) - len(own.y)
    assert both.side("train").sum() == 2 * count
    np.testing.assert_array_equal(both.counts[: len(own.y)], own.counts)
    np.testing.assert_array_equal(both.counts[both.side("test")], own.counts[own.side("test")])
    np.testing.assert_array_equal(both.y[len(own.y) :], own.y[own.side("train")])
    assert own.teacher is not None and both.teacher is not None
    seen = own.teacher.counts[own.side("train")]
    np.testing.assert_array_equal(both.teacher.counts[len(own.y) :], seen)
    np.testing.assert_array_equal(both.teacher.own().counts, own.teacher.counts)


def test_axes_can_be_chosen(dsads: Path, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    prepare(wide(**{"data.axes": '["y", "z"]', "augmentation.rotation": 0}), folder, dsads)
    assert [c.name for c in read(folder).channels] == ["right_wrist_acc_y", "right_wrist_acc_z"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"teacher.senses.kinds": '["acc", "body_acc"]'}, ["'body_acc'"]),
        ({"teacher.senses.positions": '["right_wrist", "hat"]'}, ["hat"]),
        ({"data.positions": '["left_ear"]'}, ["left_ear"]),
        ({"data.borrow": '["left_ear"]'}, ["left_ear"]),
    ],
)
def test_a_sensor_that_nobody_wore_is_named(
    dsads: Path, tmp_path: Path, changes: dict[str, str], told: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        prepare(wide(**changes), RunFolder(tmp_path), dsads)
    assert all(word in str(caught.value) for word in told)


def test_a_band_learns_from_a_teacher_of_thirty_channels(dsads: Path, tmp_path: Path) -> None:
    everything = wide(
        **{
            "distillation.options": "{combined=1.0, attention=0.5, causal=0.5}",
            "distillation.also": '{smldist={label=0, logits=0, stages=["stage1"], '
            'memory_stage="stage2"}}',
            "teacher.members": 2,
        }
    )
    diary = Diary()
    metrics = pipeline.run(everything, tmp_path, data=dsads, progress=diary)
    assert metrics["device"]["agreement"] == 1.0
    facts = RunFolder(tmp_path).facts("teach")
    assert facts is not None
    assert list(facts["views"]) == ["attention", "causal", "combined"]
    assert len(facts["without"]) == 5
    losses = RunFolder(tmp_path).facts("distil")["curve"]["epochs"][0]["losses"]
    assert {"tsak semantic", "tsak combined", "smldist stage_time", "smldist memory"} <= set(losses)
    page = (tmp_path / "report.html").read_text()
    assert "What the teacher goes by" in page
    assert "It sees 30 channels, the band 3." in page
    assert not list((tmp_path / "teacher").glob("snapshot*"))
    assert (tmp_path / "teacher" / "model-2.keras").exists()
