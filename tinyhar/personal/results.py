"""What teaching is worth over people and seeds: trials, their summary, as CSV and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from tinyhar.evaluate.metrics import Summary, in_order, summary
from tinyhar.personal.judge import relative_gain
from tinyhar.recordings.words import counted


@dataclass(frozen=True)
class Gain:
    """One person, one budget, one seed: int8 macro-F1 before and after, on that person's test.

    `personal` is the model that the desk fine-tuned, `on_band` the general one whose band was
    taught by itself.
    """

    protocol: str
    person: str
    seconds: float
    seed: int
    general: float
    personal: float
    on_band: float
    windows: int
    shown: float
    """Seconds of a class that there were to learn from, mean over the classes."""
    took: float
    """Seconds of training."""

    @property
    def relative(self) -> float:
        """Gain against the general model's macro-F1."""
        return relative_gain(self.general, self.personal)


@dataclass(frozen=True)
class Unseen:
    """One person and a class that the base run never saw, before and after it was taught; `band_`
    by the band itself.

    F1 of the new class on all of the person's test windows; macro-F1 of the old classes on the test
    windows of those; rejection by the base model: `caught` of the class while it was unknown,
    `refused` of the known ones, and how far the scores lie apart (area under the ROC) for each.
    """

    protocol: str
    person: str
    name: str
    seconds: float
    seed: int
    new_f1: float
    old_before: float
    old_after: float
    band_new_f1: float
    band_old_after: float
    caught: float
    refused: float
    apart_largest: float
    apart_margin: float
    apart_energy: float

    @property
    def loss(self) -> float:
        """Points of macro-F1, 0 to 1, that the old classes lost; below zero they gained."""
        return self.old_before - self.old_after

    @property
    def band_loss(self) -> float:
        """The same where the band was taught by itself."""
        return self.old_before - self.band_old_after


@dataclass(frozen=True)
class Budget:
    """All trials of one budget: people's means over seeds, then over people."""

    seconds: float
    general: Summary
    personal: Summary
    points: Summary
    relative: float
    """Of the mean personal against the mean general macro-F1."""
    on_band: Summary
    share: float
    """Of the desk's mean gain, what teaching on the band gains; NaN where the desk gains none."""
    worse: tuple[str, ...]
    """People whom the personal model serves worse than the general one."""


def budgets(gains: Sequence[Gain]) -> list[Budget]:
    """One row a budget, the shortest first; spread is over people."""
    found = []
    for seconds in sorted({gain.seconds for gain in gains}):
        rows = [gain for gain in gains if gain.seconds == seconds]
        people = in_order({gain.person for gain in rows})
        before, after, band = (
            [_mean([getattr(g, side) for g in rows if g.person == who]) for who in people]
            for side in ("general", "personal", "on_band")
        )
        general, personal = summary(before), summary(after)
        points = [a - b for a, b in zip(after, before, strict=True)]
        gained = personal.mean - general.mean
        found.append(
            Budget(
                seconds,
                general,
                personal,
                summary(points),
                relative_gain(general.mean, personal.mean),
                on_band := summary(band),
                (on_band.mean - general.mean) / gained if gained > 0 else float("nan"),
                tuple(who for who, gain in zip(people, points, strict=True) if gain < 0),
            )
        )
    return found


def table(protocol: str, gains: Sequence[Gain], unseen: Sequence[Unseen]) -> str:
    """All figures as Markdown."""
    people = in_order({gain.person for gain in gains} | {one.person for one in unseen})
    seeds = {gain.seed for gain in gains} | {one.seed for one in unseen}
    head = (
        f"# {protocol}: what teaching is worth\n\n"
        f"{len(people)} people ({', '.join(people)}), each left out of the base model, "
        f"{counted(len(seeds), 'seed')}. int8 macro-F1 on the person's later "
        "recordings, which share no sample with what was taught. ± is the sample standard "
        "deviation over people.\n"
    )
    return "\n".join([head, *_budget_rows(gains), *_people_rows(gains), *_unseen_rows(unseen)])


def _budget_rows(gains: Sequence[Gain]) -> list[str]:
    if not gains:
        return []
    lines = [
        "| seconds a class | (there were) | general | personal | points | relative | worse for | "
        "taught on the band | share of the gain |",
        "|---:|---:|---:|---:|---:|---:|---|---:|---:|",
    ]
    for row in budgets(gains):
        shown = _mean([gain.shown for gain in gains if gain.seconds == row.seconds])
        lines.append(
            f"| {row.seconds:g} | {shown:.1f} | {_spread(row.general)} | {_spread(row.personal)} | "
            f"{100 * row.points.mean:+.1f} ± {100 * row.points.std:.1f} | {row.relative:+.1%} | "
            f"{', '.join(row.worse) or 'nobody'} | {_spread(row.on_band)} | {_percent(row.share)} |"
        )
    return [*lines, ""]


def _people_rows(gains: Sequence[Gain]) -> list[str]:
    if not gains:
        return []
    budgets_there = sorted({gain.seconds for gain in gains})
    lines = [
        "| person | windows | general | " + " | ".join(f"{s:g} s" for s in budgets_there) + " |",
        "|---|---:|---:|" + "---:|" * len(budgets_there),
    ]
    for who in in_order({gain.person for gain in gains}):
        mine = [gain for gain in gains if gain.person == who]
        cells = [
            f"{_mean([gain.personal for gain in mine if gain.seconds == seconds]):.3f}"
            if any(gain.seconds == seconds for gain in mine)
            else "–"
            for seconds in budgets_there
        ]
        general = _mean([gain.general for gain in mine])
        lines.append(f"| {who} | {mine[0].windows} | {general:.3f} | {' | '.join(cells)} |")
    return [*lines, ""]


def _unseen_rows(unseen: Sequence[Unseen]) -> list[str]:
    if not unseen:
        return []
    lines = [
        f"A class that the base model never saw, taught with {unseen[0].seconds:g} s "
        "(± here over trials: people, seeds and, in the last row, classes):\n",
        "| class | trials | F1 of the new class | loss on old classes, points | "
        "taught on the band: F1 | loss | refused while unknown | known refused |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    names = list(dict.fromkeys(one.name for one in unseen))
    for title, rows in [
        *((name, [one for one in unseen if one.name == name]) for name in names),
        ("**all**", list(unseen)),
    ]:
        f1, loss, band, band_loss = (
            summary([getattr(one, name) for one in rows])
            for name in ("new_f1", "loss", "band_new_f1", "band_loss")
        )
        lines.append(
            f"| {title} | {len(rows)} | {_spread(f1)} | {100 * loss.mean:+.1f} ± "
            f"{100 * loss.std:.1f} | {_spread(band)} | {100 * band_loss.mean:+.1f} | "
            f"{_mean([one.caught for one in rows]):.0%} | "
            f"{_mean([one.refused for one in rows]):.0%} |"
        )
    apart = ", ".join(
        f"{score} {_mean([getattr(one, f'apart_{score}') for one in unseen]):.3f}"
        for score in ("largest", "margin", "energy")
    )
    return [*lines, "", f"Unknown told from known by (area under the ROC): {apart}.", ""]


def as_csv(rows: Sequence[Gain] | Sequence[Unseen]) -> str:
    """The trials, a line each."""
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, [f.name for f in fields(rows[0])], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return text.getvalue()


def _spread(value: Summary) -> str:
    return f"{value.mean:.3f}" if value.n == 1 else f"{value.mean:.3f} ± {value.std:.3f}"


def _percent(value: float) -> str:
    return "–" if value != value else f"{value:.0%}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
