"""Which students nothing else beats: no other scores as well and takes less of everything."""

from __future__ import annotations

from collections.abc import Mapping

from tinyhar.search.cost import Cost
from tinyhar.search.space import Candidate


def front(scores: Mapping[Candidate, float], costs: Mapping[Candidate, Cost]) -> list[Candidate]:
    """The Pareto front of macro-F1 against each cost; the fewest instructions come first."""
    kept = [
        one
        for one in scores
        if not any(_beats(other, one, scores, costs) for other in scores if other != one)
    ]
    return sorted(kept, key=lambda candidate: (costs[candidate].instructions, candidate))


def _beats(
    other: Candidate,
    one: Candidate,
    scores: Mapping[Candidate, float],
    costs: Mapping[Candidate, Cost],
) -> bool:
    """As good in everything, and better in something."""
    better = (-scores[other], *_taken(costs[other]))
    worse = (-scores[one], *_taken(costs[one]))
    return better != worse and all(a <= b for a, b in zip(better, worse, strict=True))


def _taken(cost: Cost) -> tuple[int, int, int]:
    return cost.flash_bytes, cost.ram_bytes, cost.instructions
