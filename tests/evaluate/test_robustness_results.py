from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from tinyhar.errors import DataError
from tinyhar.evaluate.robustness_results import (
    Trial,
    Tried,
    as_json,
    grouped,
    rows,
    tried_from_json,
)


def tried(
    folder: str, name: str = "hapt", clean: float = 0.9, drop: float = 0.1, **settings: str
) -> Tried:
    trials = (
        Trial("rotation", 15.0, "turned 15°", (clean - drop, clean - 3 * drop), clean, 100),
        Trial("rotation", 30.0, "turned 30°", (clean - 3 * drop, clean - 5 * drop), clean, 100),
        Trial("displacement", None, "left wrist", (clean,), clean + 0.05, 80),
    )
    table = {"distillation.method": "hinton"} | {
        k.replace("__", "."): v for k, v in settings.items()
    }
    return Tried(folder, name, table, clean, 100, trials)


def labels(*runs: Tried) -> list[str]:
    return [group.label for group in grouped(runs)]


def test_seeds_and_people_of_one_recipe_are_one_group() -> None:
    runs = (tried("a", "dsads-wrist-without-5"), tried("b", "dsads-wrist-without-p_6"))
    assert labels(*runs) == ["dsads-wrist"]
    (group,) = grouped(runs)
    assert group.clean.n == 2 and group.clean.std == 0


def test_groups_are_named_by_what_tells_them_apart() -> None:
    twin = tried("b", distillation__method="none")
    assert labels(tried("a"), twin, tried("c")) == ["hapt, hinton", "hapt, none"]
    assert labels(tried("a"), tried("b", "spsw", data__source="spsw")) == ["hapt", "spsw"]
    small = tried("b", student__options__width="0.5")
    assert labels(tried("a"), small) == [
        "hapt, student.options.width=–",
        "hapt, student.options.width=0.5",
    ]
    assert labels(tried("a"), twin, small)[1:] == [
        "hapt, none",
        "hapt, hinton, student.options.width=0.5",
    ]


def test_mean_spread_and_loss_are_over_runs_and_extremes_over_draws() -> None:
    groups = grouped([tried("a", clean=0.9, drop=0.1), tried("b", clean=0.8, drop=0.05)])
    turned = rows(groups)[0]
    cell = turned.cells[0]
    assert cell.macro_f1.mean == pytest.approx((0.7 + 0.7) / 2)
    assert cell.loss.mean == pytest.approx((0.2 + 0.1) / 2)
    assert cell.loss.std == pytest.approx(0.1 / 2**0.5)
    assert (cell.low, cell.high) == (pytest.approx(0.6), pytest.approx(0.8))


def test_a_curve_ends_with_its_mean_and_single_trials_do_not() -> None:
    table = rows(grouped([tried("a")]))
    assert [row.name for row in table] == [
        "turned 15°",
        "turned 30°",
        "rotation: mean",
        "left wrist",
    ]
    assert table[2].cells[0].loss.mean == pytest.approx((0.2 + 0.4) / 2)


def test_loss_is_against_the_same_peoples_clean_windows() -> None:
    assert rows(grouped([tried("a")]))[-1].cells[0].loss.mean == pytest.approx(0.05)


def test_what_a_group_did_not_try_is_a_gap() -> None:
    other = tried("b", "spsw", data__source="spsw")
    table = rows(grouped([tried("a"), replace(other, trials=other.trials[:2])]))
    assert table[-1].cells[0] is not None and table[-1].cells[1] is None


def test_it_is_json_that_reads_back() -> None:
    found = as_json(grouped([tried("a"), tried("b", distillation__method="none")]))
    assert json.loads(json.dumps(found, allow_nan=False))["groups"][1]["label"] == "hapt, none"
    assert len(found["table"]) == 4
    assert found["groups"][0]["runs"][0]["trials"][0]["name"] == "turned 15°"


def test_trials_are_read_back_from_json() -> None:
    run = tried("a")
    assert tried_from_json(json.loads(json.dumps(asdict(run)))) == run
    for damaged in ({}, {"trials": [{}]}, asdict(run) | {"more": 1}):
        with pytest.raises(DataError, match="no trials of a run"):
            tried_from_json(damaged)


def test_no_runs_is_an_error() -> None:
    with pytest.raises(DataError, match="name at least one run folder"):
        grouped([])
