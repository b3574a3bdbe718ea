"""Where a teacher looks is kept beside it, and read back for the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyhar import models
from tinyhar.counts import Normalisation
from tinyhar.errors import DataError
from tinyhar.pipeline.explain import ATTENTION, read_attention, save_attention
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.prepare import Prepared
from tinyhar.recordings import triaxial
from tinyhar.splits import Split

TINY = {"width": 8, "heads": 2, "feed_forward": 8, "blocks": 1, "filters": 4}


@pytest.fixture
def data() -> Prepared:
    rng = np.random.default_rng(0)
    return Prepared(
        counts=rng.integers(-8000, 8000, (30, 16, 6)).astype(np.int16),
        y=np.arange(30) % 2,
        subject=np.repeat(["a", "b", "c"], 10),
        classes=("sit", "walk", "never done"),
        channels=triaxial("wrist", "acc", "gyro"),
        lsb=np.full(6, 1e-3),
        normalisation=Normalisation(np.zeros(6), np.ones(6), ("a",)),
        split=Split(("a",), ("b",), ("c",)),
        rate=50.0,
    )


def test_maps_of_the_unseen_people_are_kept_by_class(tmp_path: Path, data: Prepared) -> None:
    model = models.build("self_attention", 16, 6, 3, seed=1, **TINY)
    folder = RunFolder(tmp_path)
    assert save_attention(folder, model, data, clip=3.0)
    found = read_attention(folder)
    assert found.windows == (5, 5, 0)
    assert found.sensor.shape == (3, 6) and found.temporal.shape == (3, 16)
    np.testing.assert_allclose(found.sensor[:2].sum(axis=1), 1, rtol=1e-4)
    np.testing.assert_allclose(found.temporal[:2].sum(axis=1), 1, rtol=1e-4)
    assert np.isnan(found.sensor[2]).all()
    own = np.clip(data.inputs(data.side("test")), -3, 3)
    sits = models.attention.sensor_attention(model, own)[::2].mean(axis=(0, 1))
    np.testing.assert_allclose(found.sensor[0], sits, rtol=1e-5)


def test_a_model_that_weighs_time_alone_has_one_map(tmp_path: Path, data: Prepared) -> None:
    folder = RunFolder(tmp_path)
    assert save_attention(folder, models.build("tinier_har", 16, 6, 3, seed=1), data, clip=3.0)
    found = read_attention(folder)
    assert found.sensor is None and found.temporal is not None


def test_a_model_without_attention_leaves_nothing(tmp_path: Path, data: Prepared) -> None:
    folder = RunFolder(tmp_path)
    model = models.build("separable", 16, 6, 3, seed=1)
    assert not save_attention(folder, model, data, clip=3.0)
    assert not (folder / ATTENTION).exists()


def test_damaged_maps_are_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_bytes(ATTENTION, b"PK nothing")
    with pytest.raises(DataError, match=r"teacher/attention\.npz: missing or damaged"):
        read_attention(folder)
