"""What is told where TensorFlow Lite Micro cannot be had to check the desk's arithmetic."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.pipeline.watching import Diary, Finished
from tinyhar.convert.reference import LITERT, TFLM, Int8
from tinyhar.errors import ModelError
from tinyhar.pipeline import deliver
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.prepare import read


class OneStepOff:
    """A reference that gives one logit of the second window a step more."""

    backend = LITERT

    def __init__(self, tflite: bytes) -> None:
        self.right = TflmReference(tflite)

    def run(self, x: Int8) -> Int8:
        logits = self.right.run(x)
        logits[1, 0] -= np.sign(logits[1, 0]) or -1
        return logits


TflmReference = deliver.TflmReference


@pytest.fixture
def folder(finished: Finished, tmp_path: Path) -> RunFolder:
    shutil.copytree(finished.folder, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def test_a_stand_in_that_differs_is_told_and_the_answers_stay_the_bands(
    finished: Finished, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "TflmReference", OneStepOff)
    before, diary = (folder / "bundle.thb").read_bytes(), Diary()
    facts = deliver.convert(finished.recipe, folder, read(folder), diary)
    assert (facts["reference"], facts["desk_equal"]) == (LITERT, facts["windows"] - 1)
    assert (folder / "bundle.thb").read_bytes() == before
    (note,) = diary.notes
    assert "not checked against TensorFlow Lite Micro" in note
    assert "differ on 1 of" in note
    assert "by at most 1 of 255 steps" in note


def test_tflm_itself_must_agree(
    finished: Finished, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "TflmReference", OneStepOff)
    monkeypatch.setattr(OneStepOff, "backend", TFLM)
    with pytest.raises(ModelError, match=r"int8/model.tflite: .* on 1 of \d+ windows"):
        deliver.convert(finished.recipe, folder, read(folder), Diary())
