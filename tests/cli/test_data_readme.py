"""The README's recipe for one's own recordings does what it says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from tinyhar import recipe as recipes
from tinyhar.errors import DataError
from tinyhar.pipeline import prepare
from tinyhar.pipeline.folder import RunFolder

ROOT = Path(__file__).parents[2]
CHAPTER = (ROOT / "README.md").read_text().split("### Your own recordings")[1].split("\n### ")[0]


def examples() -> Path:
    """The folder that the chapter's commands name."""
    (folder,) = set(re.findall(r"--data (\S+)", CHAPTER))
    return ROOT / folder


def written_recipe(tmp_path: Path) -> recipes.Recipe:
    (block,) = re.findall(r"```toml\n(.*?)```", CHAPTER, re.DOTALL)
    (name,) = set(re.findall(r"\S+\.toml\b", CHAPTER.replace("`", " ").replace(block, "")))
    (tmp_path / name).write_text(block)
    return recipes.load(tmp_path / name)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYHAR_CACHE", str(tmp_path / "cache"))


def test_the_readme_s_recipe_prepares_the_example_files(tmp_path):
    folder = RunFolder(tmp_path / "run")
    facts = prepare.prepare(written_recipe(tmp_path), folder, examples())
    assert facts["subjects"]["test"] == ["cleo"]
    assert sorted(len(facts["subjects"][side]) for side in ("train", "validation")) == [1, 1]
    prepared = prepare.read(folder)
    assert prepared.classes == ("drinking", "resting")
    for side in ("train", "validation", "test"):
        assert np.bincount(prepared.y[prepared.side(side)], minlength=2).min() >= 10


def test_the_default_validation_asks_for_what_three_people_can_give(tmp_path):
    table = tomllib.loads(re.findall(r"```toml\n(.*?)```", CHAPTER, re.DOTALL)[0])
    del table["split"]["validation"]
    message = r"split\.validation = 3: of 3 subjects .* write validation = 1 in the table"
    with pytest.raises(DataError, match=message):
        prepare.prepare(recipes.parse(table), RunFolder(tmp_path / "run"), examples())
