"""Every notebook runs from top to bottom, as its reader would run it."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

LONG = {"02_what_distillation_buys", "03_teach_your_band"}
"""Take minutes: a bench, or two trainings."""
NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in LONG else [])
        for path in NOTEBOOKS
    ],
)
def test_it_runs(path: Path) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("no cmake: the firmware cannot be built")
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=800, resources={"metadata": {"path": path.parent}}).execute()
