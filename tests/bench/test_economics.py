"""What sensors buy and cost: one point for each band, only where bands differ in sensors."""

from pathlib import Path

import pytest

from tests.bench.grids import cells_of, small
from tests.bench.test_league import standing_league
from tinyhar.bench import economics, grid, page, work
from tinyhar.bench.cells import Cell, expand
from tinyhar.bench.league import League


def better_with_more(cell: Cell) -> float:
    data = cell.recipe.data
    return 0.7 + 0.02 * len(data.kinds) + 0.03 * len(data.positions or "") + 0.001 * cell.seed


@pytest.fixture
def sensors(tmp_path: Path) -> League:
    one, cells = grid.load("sensors"), expand(grid.load("sensors"), grid.find("sensors"))
    return standing_league(tmp_path, one, cells, better_with_more)


def test_the_grid_of_sensors_can_be_done() -> None:
    cells = expand(grid.load("sensors"), grid.find("sensors"))
    first = {cell.protocol: cell for cell in reversed(cells)}
    assert len(first) == 8
    for cell in first.values():
        work.check(cell)
        assert not cell.needs_teacher
    told = {cell.recipe.data.window / cell.recipe.data.rate for cell in first.values()}
    assert told == {2.0, 5.0}  # the same stretch of time at every rate


def test_a_gyroscope_costs_current_and_every_place_a_sensor(sensors: League) -> None:
    found = {one.name: one for one in economics.points(sensors)}
    assert len(found) == 8
    acc, both = found["wrist-acc 15k"], found["wrist-6-axes 15k"]
    assert acc.sensor_a == pytest.approx(170e-6) and both.sensor_a == pytest.approx(550e-6)
    assert found["five-places-acc 15k"].sensor_a == pytest.approx(5 * acc.sensor_a)
    assert found["five-places-acc 15k"].sensors == "acc, 15 axes, 5 places"
    assert found["watch-acc-25hz 15k"].rate == 25
    assert both.total_a == both.core_a + both.sensor_a
    assert both.score.n == 3


def test_table_and_picture_are_on_the_page(sensors: League) -> None:
    asked = {"command": "tinyhar bench --grid sensors", "version": "0"}
    drawn = page.html(sensors, asked, {})
    assert "Sensors and battery" in drawn and "What the sensors buy" in drawn
    assert "Estimates, no measurements" in page.markdown(sensors, asked, {})


def test_other_grids_compare_no_sensors(tmp_path: Path) -> None:
    one = small()
    league = standing_league(tmp_path, one, cells_of(one), lambda cell: 0.8)
    assert economics.points(league) == []
    assert economics.table([]) is None
