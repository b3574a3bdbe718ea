"""Many students trained a little, few for long (successive halving, Jamieson & Talwalkar 2016).

Each rung trains what is left for three times as long as the one before. A third goes on: the best
by score, and besides them those that nothing cheaper beats, for the search is after a whole front.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tinyhar.search.cost import Cost
from tinyhar.search.front import front
from tinyhar.search.space import Candidate

FACTOR = 3

Scores = dict[Candidate, float]
Train = Callable[[Sequence[Candidate], int, int], Scores]
"""(candidates, rung, epochs) -> macro-F1 of each on the people held out."""


def rungs(epochs: int, count: int) -> list[int]:
    """Epochs of each rung, the last one `epochs`; fewer rungs where they would train nothing."""
    found = [round(epochs / FACTOR**back) for back in reversed(range(count))]
    return [number for number in found if number >= 1]


def survivors(scores: Scores, costs: Mapping[Candidate, Cost]) -> list[Candidate]:
    """The best third, and whatever nothing cheaper beats; best first."""
    ranked = sorted(scores, key=lambda candidate: -scores[candidate])
    best = ranked[: max(1, -(-len(ranked) // FACTOR))]
    unbeaten = front(scores, costs)
    return [candidate for candidate in ranked if candidate in best or candidate in unbeaten]


def climb(
    candidates: Sequence[Candidate],
    costs: Mapping[Candidate, Cost],
    plan: Sequence[int],
    train: Train,
) -> Scores:
    """Scores of those that reached the last rung."""
    left, scores = list(candidates), {}
    for rung, epochs in enumerate(plan):
        scores = train(left, rung, epochs)
        left = survivors(scores, costs)
    return scores
