"""Students made smaller: within a device's budget, and with weights of four bits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.watching import Diary, Finished
from tinyhar import pipeline, recipe
from tinyhar.band import budget, cortex_m4
from tinyhar.band.desk import INT8
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.step import CONV_CLUSTERED
from tinyhar.errors import ModelError, ToolError
from tinyhar.pipeline.folder import RunFolder

pytestmark = pytest.mark.timeout(600)

needs_board = pytest.mark.skipif(
    bool(cortex_m4.missing_tools()), reason="no cross compiler or no QEMU"
)


def distilled(finished: Finished, folder: Path) -> RunFolder:
    copy = RunFolder(folder)
    copy.adopt(RunFolder(finished.folder), ["prepare", "teach", "distil"])
    return copy


@needs_board
@pytest.mark.parametrize("by", [pytest.param("l1", marks=pytest.mark.slow), "sensitivity"])
def test_channels_go_until_the_budget_is_kept(finished: Finished, tmp_path: Path, by: str) -> None:
    folder = distilled(finished, tmp_path / "run")
    changes = ["pruning.instructions=250000", "pruning.flash_bytes=14000", f"pruning.by={by}"]
    facts = pipeline.advance(
        recipe.changed(finished.recipe, changes), folder.root, until="quantise", quick=True
    )
    assert facts["prune"]["parameters"] < facts["distil"]["parameters"]
    cost = budget.cost_of("pruned", (folder / INT8).read_bytes())
    assert 150_000 < cost.instructions <= 250_000 or 11_000 < cost.flash_bytes <= 14_000
    assert not budget.Budget(flash_bytes=14_000, instructions=250_000).excess(cost)


@needs_board
def test_a_budget_that_nothing_keeps_is_told_before_anything_is_trained(
    finished: Finished, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.adopt(RunFolder(finished.folder), ["prepare"])
    tight = recipe.changed(finished.recipe, ["pruning.ram_bytes=500"])
    diary = Diary()
    with pytest.raises(ModelError, match=r"the smallest takes [\d,]+ bytes of RAM for 500"):
        pipeline.advance(tight, folder.root, until="prune", quick=True, progress=diary)
    assert diary.done_now == []


def test_a_devices_budget_without_a_device_is_told_before_anything_is_trained(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    folder = RunFolder(tmp_path / "run")
    folder.adopt(RunFolder(finished.folder), ["prepare"])
    wanted = recipe.changed(finished.recipe, ["pruning.flash_bytes=9000"])
    with pytest.raises(ToolError, match=r"9,000 bytes of flash.*gcc-arm-none-eabi"):
        pipeline.advance(wanted, folder.root, until="prune", quick=True)


@pytest.mark.slow
def test_sensitivity_takes_the_share_that_was_asked_for(finished: Finished, tmp_path: Path) -> None:
    folder = distilled(finished, tmp_path / "run")
    changes = ["pruning.share=0.5", "pruning.by=sensitivity", "pruning.training.epochs=1"]
    facts = pipeline.advance(
        recipe.changed(finished.recipe, changes), folder.root, until="prune", quick=True
    )
    assert facts["prune"]["parameters"] < 0.6 * facts["distil"]["parameters"]


def test_clustered_weights_take_four_bits_on_the_band(finished: Finished, tmp_path: Path) -> None:
    folder = distilled(finished, tmp_path / "run")
    changes = [
        "clustering.values=16",
        "clustering.training.epochs=1",
        "pruning.method=none",
        "quantisation.method=ptq",
        'band.boards=["host"]',
    ]
    metrics = pipeline.run(recipe.changed(finished.recipe, changes), folder.root, quick=True)
    compiled = compile_model((folder / INT8).read_bytes())
    assert compiled.kernels >> CONV_CLUSTERED & 1
    assert metrics["device"]["agreement"] == 1.0
    report = (folder / "report.html").read_text()
    assert "clustered (16 values a layer)" in report
    assert "after clustering" in report
