from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.evaluate.test_report import LOADS, Page
from tests.evaluate.test_robustness_results import tried
from tinyhar.evaluate import formats
from tinyhar.evaluate.robustness_page import render
from tinyhar.evaluate.robustness_results import Group, Trial, grouped, rows


@pytest.fixture(scope="module")
def groups() -> tuple[Group, ...]:
    twins = [tried("runs/a"), tried("runs/b", clean=0.88)]
    alone = tried("runs/c", clean=0.8, distillation__method="none")
    noisy = replace(alone, trials=(*alone.trials, Trial("noise", 0.5, "noise", (0.7,), 0.8, 100)))
    return grouped([*twins, replace(noisy, left_out=("Drift: no <data>.",))])


@pytest.fixture(scope="module")
def page(groups: tuple[Group, ...]) -> Page:
    return Page(render(groups))


def test_every_figure_stands_beside_its_twin(groups: tuple[Group, ...], page: Page) -> None:
    text = page.text
    for row in rows(groups):
        for cell in row.cells:
            if cell is not None:
                assert f"{formats.score(cell.macro_f1.mean)}" in text
                assert f"{formats.change(cell.loss.mean)}" in text
    assert "hapt, hinton" in text and "hapt, none" in text
    assert "Left out: Drift: no <data>." in text
    for folder in ("runs/a", "runs/b", "runs/c"):
        assert folder in text


def test_a_spread_is_shown_where_there_are_several_runs(page: Page) -> None:
    assert "0.8900 ± 0.0141" in page.text
    assert re.search(r"hapt, none 1 0\.8000 100", page.text)


def test_each_family_is_a_picture_with_words_for_those_who_do_not_see(page: Page) -> None:
    labels = [str(a["aria-label"]) for tag, a in page.tags if tag == "svg"]
    assert len(labels) == 3
    assert "rotation" in labels[0]
    assert "hapt, hinton: 0.89 at 0, 0.69 at 15, 0.49 at 30" in labels[0]
    assert "hapt, none, left wrist: 0.85 to 0.80" in labels[1]
    assert "hapt, hinton" not in labels[2], "it was not asked about noise"


def test_the_page_loads_nothing(page: Page) -> None:
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "img"}
        assert not LOADS & attributes.keys()


def test_a_quick_try_says_so(groups: tuple[Group, ...]) -> None:
    assert "the table's shape, not its figures" in Page(render(groups, quick=True)).text
    assert "the table's shape" not in Page(render(groups)).text
