"""What sensors buy and cost: scores of bands with other sensors, beside the current they draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyhar.bench.league import STUDENTS, Column, League
from tinyhar.bench.tables import Cell, Table
from tinyhar.errors import DataError
from tinyhar.evaluate import formats
from tinyhar.evaluate.energy import LSM6DSO, MICROCONTROLLERS, estimate
from tinyhar.evaluate.metrics import Summary

CORE = MICROCONTROLLERS[0]
BATTERY_AH = 0.1


@dataclass(frozen=True)
class Point:
    """A band's sensors, how well it does with them, and what it draws, A (an estimate)."""

    name: str
    sensors: str
    rate: float
    score: Summary
    flash_bytes: float | None
    ram_bytes: float | None
    instructions: float
    core_a: float
    sensor_a: float

    @property
    def total_a(self) -> float:
        """Core and sensors."""
        return self.core_a + self.sensor_a


def points(league: League) -> list[Point]:
    """A point for each column of a grid that compares sensors; of any other grid none.

    The score is the grid's first method's: compare sensors with one method alone.
    """
    if not league.grid.sensors:
        return []
    method = league.methods(STUDENTS)[0].name
    return [point for column in league.columns if (point := _point(league, method, column))]


def _point(league: League, method: str, column: Column) -> Point | None:
    standing = league.standing(method, column)
    senses = league.senses(method, column)
    if standing is None or senses is None or not standing.instructions:
        return None
    places = senses["positions"]
    try:
        energy = estimate(
            CORE,
            standing.instructions,
            rate=senses["rate"],
            stride=senses["stride"],
            kinds=senses["kinds"],
        )
    except DataError:  # a sensor whose current nobody told
        return None
    return Point(
        name=column.title,
        sensors=_told(senses),
        rate=senses["rate"],
        score=standing.seeds,
        flash_bytes=standing.flash_bytes,
        ram_bytes=standing.ram_bytes,
        instructions=standing.instructions,
        core_a=energy.average_a,
        sensor_a=places * energy.sensor_a,
    )


def _told(senses: dict[str, Any]) -> str:
    told = f"{' and '.join(senses['kinds'])}, {senses['channels']} axes"
    return told if senses["positions"] == 1 else f"{told}, {senses['positions']} places"


def table(found: list[Point]) -> Table | None:
    """The points as a table; None without any."""
    if not found:
        return None
    rows = [
        tuple(
            map(
                Cell,
                (
                    *(one.name, one.sensors, f"{one.rate:g} Hz", _score(one.score)),
                    *(formats.count(one.flash_bytes), formats.count(one.ram_bytes)),
                    *(formats.count(one.instructions), f"{1e6 * one.core_a:.0f}"),
                    *(f"{1e6 * one.sensor_a:.0f}", f"{BATTERY_AH / one.total_a / 24:.1f}"),
                ),
            )
        )
        for one in found
    ]
    headings = ("protocol", "sensors", "rate", "score", "flash", "RAM", "instructions")
    notes = [
        f"Estimates, no measurements: the core is an {CORE.name} ({CORE.source}), the sensor an "
        f"{LSM6DSO.name} in each place ({LSM6DSO.source}); radio and regulator are left out."
    ]
    power = ("core\nuA", "sensor\nuA", "100 mAh\nlast days")
    return Table("sensors", "Sensors and battery", (*headings, *power), rows, notes, words=2)


def _score(score: Summary) -> str:
    spread = f" ± {score.std:.3f}" if score.n > 1 else ""
    return f"{score.mean:.3f}{spread}"
