"""A search: what is drawn, what fits, what nothing beats, and that it goes on where it stopped."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhar import recipe
from tinyhar.band import cortex_m4
from tinyhar.band.budget import Budget
from tinyhar.bench.workers import Alone, Ending
from tinyhar.cli.search import BINARY, DECIMAL, _size
from tinyhar.errors import DataError, ModelError, RecipeError, ToolError
from tinyhar.search import cost as costing
from tinyhar.search import halving, pages, space
from tinyhar.search import run as searching
from tinyhar.search.cost import Cost, affordable
from tinyhar.search.front import front
from tinyhar.search.space import Candidate

DRAWN = space.sample(40, [64, 128], seed=3)
costs_of = st.lists(
    st.builds(Cost, *(st.integers(1, 9) for _ in range(5))), min_size=1, max_size=len(DRAWN)
)


def made_up(candidate: Candidate) -> Cost:
    size = sum(candidate.widths) * candidate.depth * candidate.kernel
    return Cost(8_000 + 4 * size, 500 + 10 * max(candidate.widths), 100 * size, size, size)


def test_a_sample_is_made_of_different_students_and_the_seed_decides() -> None:
    assert len(set(DRAWN)) == 40 == len({candidate.name for candidate in DRAWN})
    assert {candidate.window for candidate in DRAWN} == {64, 128}
    assert space.sample(40, [64, 128], seed=3) == DRAWN
    assert space.sample(40, [64, 128], seed=4) != DRAWN
    assert all(list(c.widths) == sorted(c.widths) for c in DRAWN)


def test_a_student_becomes_a_recipe() -> None:
    for candidate in DRAWN[:5]:
        made = recipe.changed(recipe.load("hapt"), candidate.changes)
        assert dict(made.student.options) == candidate.options
        assert made.pruning.method == "none"


@given(costs_of, st.data())
def test_nothing_of_the_front_is_beaten_and_all_else_is(
    costs: list[Cost], data: st.DataObject
) -> None:
    known = dict(zip(DRAWN, costs, strict=False))
    scores = {c: data.draw(st.integers(0, 5)) / 5 for c in known}

    def at_least(a: Candidate, b: Candidate) -> bool:
        less = (known[a].flash_bytes, known[a].ram_bytes, known[a].instructions)
        more = (known[b].flash_bytes, known[b].ram_bytes, known[b].instructions)
        return scores[a] >= scores[b] and all(x <= y for x, y in zip(less, more, strict=True))

    best = front(scores, known)
    assert best
    for one in known:
        beaten = any(at_least(o, one) and not at_least(one, o) for o in known)
        assert (one in best) != beaten


def test_a_budget_chooses_and_says_what_is_nearest() -> None:
    costs = {c: made_up(c) for c in DRAWN}
    budget = Budget(flash_bytes=9_000, instructions=60_000)
    within = affordable(costs, budget)
    assert 0 < len(within) < len(DRAWN)
    assert all(costs[c].flash_bytes <= 9_000 and costs[c].instructions <= 60_000 for c in within)
    assert affordable(costs, Budget()) == DRAWN
    smallest = min(DRAWN, key=lambda c: costs[c].flash_bytes)
    with pytest.raises(ModelError) as caught:
        affordable(costs, Budget(flash_bytes=8_001))
    told = str(caught.value)
    assert (
        smallest.name in told
        and f"{costs[smallest].flash_bytes:,} bytes of flash for 8,001" in told
    )


def test_rungs_grow_threefold_and_end_with_all_epochs() -> None:
    assert halving.rungs(60, 3) == [7, 20, 60]
    assert halving.rungs(2, 4) == [1, 2]
    assert halving.rungs(5, 1) == [5]


def test_the_field_is_thinned_but_the_front_goes_on() -> None:
    costs = {c: made_up(c) for c in DRAWN}
    seen: list[tuple[int, int, int]] = []

    def train(left: Sequence[Candidate], rung: int, epochs: int) -> halving.Scores:
        seen.append((rung, epochs, len(left)))
        return {c: 1 - 1 / costs[c].instructions for c in left}

    scores = halving.climb(DRAWN, costs, [7, 20, 60], train)
    assert [(rung, epochs) for rung, epochs, _ in seen] == [(0, 7), (1, 20), (2, 60)]
    assert seen[0][2] == 40 > seen[1][2] > 1
    best, cheapest = (
        max(DRAWN, key=lambda c: costs[c].instructions),
        min(DRAWN, key=lambda c: costs[c].instructions),
    )
    assert best in scores and cheapest in scores


class Counting(Alone):
    """Does the jobs here, and counts them; the third of the trainings cuts the power, if asked."""

    def __init__(self, cut: int | None = None) -> None:
        super().__init__()
        self.done: list[str] = []
        self.cut = cut

    def wait(self) -> Any:
        if self.cut is not None and len(self.done) == self.cut:
            raise KeyboardInterrupt
        ending = super().wait()
        self.done.append(ending.job)
        return ending


class Dying(Counting):
    """Each worker dies on the first job that it is given."""

    def wait(self) -> Ending:
        job, _ = self._given[0]
        if job not in self.done:
            self._given.pop(0)
            self.done.append(job)
            return Ending(job, error="its worker died", lost=True)
        return super().wait()


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> searching.Plan:
    def cost_of(
        candidate: Candidate, channels: int, classes: int, *, hop: int, extra_ram: int
    ) -> dict[str, Any]:
        assert (channels, classes, hop, extra_ram) == (6, 8, 0, 0)
        return vars(made_up(candidate))

    def train_one(trial: Any, folder: Path, epochs: int) -> dict[str, Any]:
        assert (folder / "data" / "windows.npz").is_file()
        return {"macro_f1": 0.5 + 0.001 * sum(trial.student.options["widths"]), "epochs": epochs}

    monkeypatch.setattr(costing, "cost_of", cost_of)
    monkeypatch.setattr(searching, "train_one", train_one)
    monkeypatch.setattr(searching, "_prepared", lambda plan, window: _touch(plan, window))
    return searching.Plan(
        recipe=recipe.load("demo"),
        budget=Budget(),
        out=tmp_path / "search",
        data=None,
        windows=(128,),
        candidates=9,
        epochs=9,
        validation=2,
    )


def _touch(plan: searching.Plan, window: int) -> tuple[int, int]:
    file = plan.out / f"window-{window}" / "data" / "windows.npz"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    return 6, 8


def quiet(what: str, done: int, total: int) -> None:
    assert 0 <= done <= total


def test_a_search_ends_with_a_front_of_recipes(plan: searching.Plan) -> None:
    found = searching.do(plan, Counting(), quiet)
    best = pages.write(plan, found)
    assert best == front(found.scores, found.costs)
    for candidate in best:
        table = tomllib.loads(pages.recipe_file(plan, candidate).read_text())
        assert tuple(table["student"]["options"]["widths"]) == candidate.widths
        assert recipe.load(pages.recipe_file(plan, candidate)).split == plan.recipe.split
    rows = list(csv.DictReader((plan.out / "search.csv").open()))
    assert len(rows) == 9
    page = (plan.out / "search.html").read_text()
    assert "<svg" in page and all(candidate.name in page for candidate in best)


def test_an_interrupted_search_goes_on_and_a_finished_one_does_nothing(
    plan: searching.Plan,
) -> None:
    first = Counting(cut=11)
    with pytest.raises(KeyboardInterrupt):
        searching.do(plan, first, quiet)
    second, third = Counting(), Counting()
    found = searching.do(plan, second, quiet)
    assert len(first.done) == 11 and second.done
    assert searching.do(plan, third, quiet) == found
    assert third.done == []


def test_a_job_whose_worker_died_is_done_by_another(plan: searching.Plan) -> None:
    found = searching.do(plan, Dying(), quiet)
    assert len(found.costs) == 9


def test_a_folder_of_another_search_is_left_alone(plan: searching.Plan) -> None:
    searching.do(plan, Counting(), quiet)
    with pytest.raises(DataError, match=r"another seed.*--out"):
        searching.do(replace(plan, seed=2), Counting(), quiet)


def test_a_budget_that_nobody_meets_ends_before_any_training(plan: searching.Plan) -> None:
    counting = Counting()
    with pytest.raises(ModelError, match="no student of 9 meets the budget"):
        searching.do(replace(plan, budget=Budget(ram_bytes=10)), counting, quiet)
    assert len(counting.done) == 9


def test_when_nothing_succeeds_the_first_error_is_told(
    plan: searching.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> dict[str, Any]:
        raise ToolError("no cross compiler")

    monkeypatch.setattr(costing, "cost_of", broken)
    with pytest.raises(ToolError, match=r"costs: nothing succeeded.*no cross compiler"):
        searching.do(plan, Counting(), quiet)


@pytest.mark.parametrize(
    ("text", "units", "value"),
    [
        ("24K", BINARY, 24_576),
        ("0.5M", DECIMAL, 500_000),
        ("6000", BINARY, 6000),
        ("1.5k", BINARY, 1536),
    ],
)
def test_sizes_are_read(text: str, units: dict[str, int], value: int) -> None:
    assert _size("--flash", text, units) == value
    for wrong in ("", "K", "-1K", "24KiB", "0"):
        with pytest.raises(RecipeError, match="--flash"):
            _size("--flash", wrong, units)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_real_search_on_synthetic_movement(tmp_path: Path) -> None:
    if cortex_m4.missing_tools():
        pytest.skip("no cross compiler or no QEMU")
    plan = searching.Plan(
        recipe=recipe.load("demo"),
        budget=Budget(flash_bytes=24 * 1024, ram_bytes=6 * 1024),
        out=tmp_path,
        data=None,
        windows=(128,),
        candidates=3,
        epochs=2,
        rungs=2,
        validation=2,
    )
    found = searching.do(plan, Alone(), quiet)
    assert all(not plan.budget.excess(found.costs[c]) for c in found.scores)
    assert all(0 <= score <= 1 for score in found.scores.values())
