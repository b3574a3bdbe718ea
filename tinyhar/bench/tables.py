"""The league as tables of text, the same for terminal, Markdown and page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tinyhar.bench.cells import short
from tinyhar.bench.grid import Method
from tinyhar.bench.league import STUDENTS, Column, League, Standing
from tinyhar.bench.statistics import LEVEL, holm
from tinyhar.evaluate import formats
from tinyhar.evaluate.metrics import Summary

UNKNOWN = formats.UNKNOWN


@dataclass(frozen=True)
class Cell:
    """A value; the best of its column is marked."""

    text: str
    best: bool = False


@dataclass(frozen=True)
class Table:
    """Headings, the first `words` of them over text and the others over numbers, and rows."""

    name: str
    title: str
    headings: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    notes: list[str] = field(default_factory=list)
    words: int = 1


def tables(league: League) -> list[Table]:
    """All that there is to say, most important first; empty ones are left out."""
    every = [students(league), others(league), comparison(league), people(league), costs(league)]
    return [table for table in every if table is not None]


def students(league: League) -> Table | None:
    """One row a method, one column a protocol and size: mean and spread over seeds."""
    methods = league.methods(STUDENTS)
    if not methods:
        return None
    grid = [[league.standing(m.name, column) for column in league.columns] for m in methods]
    means = [league.mean(m.name) for m in methods]
    ranked = league.ranking(by_people=False)
    ranks = {m.name: r for m, r in zip(ranked[0], ranked[1].ranks, strict=True)} if ranked else {}
    best = [_highest([s and s.seeds.mean for s in column]) for column in zip(*grid, strict=True)]
    rows = []
    for method, standings, mean in zip(methods, grid, means, strict=True):
        cells = [_scored(s, b) for s, b in zip(standings, best, strict=True)]
        rank = ranks.get(method.name)
        rows.append(
            (
                Cell(method.shown),
                *cells,
                Cell(_three(mean), best=mean is not None and mean == _highest(means)),
                Cell(UNKNOWN if rank is None else f"{rank:.1f}"),
            )
        )
    headings = ("method", *map(_heading, league.columns), "mean", "rank")
    notes = [*_about_scores(league, methods, league.columns), *_about_ranks(league)]
    return Table(
        "students", "The same student, other methods of distillation", headings, rows, notes
    )


def others(league: League) -> Table | None:
    """Networks of their own size, trained on labels alone, and the forest."""
    methods = [*league.methods("architecture"), *league.methods("forest")]
    columns = [column for column in league.own_columns if column.main]
    if not methods or not columns:
        return None
    grid = [[league.standing(m.name, column) for column in columns] for m in methods]
    best = [_highest([s and s.seeds.mean for s in column]) for column in zip(*grid, strict=True)]
    rows = []
    for method, standings in zip(methods, grid, strict=True):
        cells = [_scored(s, b) for s, b in zip(standings, best, strict=True)]
        sizes = [s.parameters for s in standings if s]
        rows.append((Cell(_told(method)), *cells, Cell(_range(sizes))))
    headings = ("network", *map(_heading, columns), "parameters")
    notes = _about_scores(league, methods, columns)
    if any(m.group == "forest" for m in methods):
        notes.append("The forest's size is its number of nodes.")
    return Table(
        "others", "Networks of their own size, trained on labels alone", headings, rows, notes
    )


def comparison(league: League) -> Table | None:
    """The focus against each other student: how far ahead, how sure, and in how many columns."""
    focus = league.focus
    if focus is None:
        return None
    found = league.comparisons(focus.name)
    if not found:
        return None
    corrected = holm([each.p for each, _ in found.values()])
    titles = {method.name: method.shown for method in league.grid.methods}
    rows: list[tuple[Cell, ...]] = []
    for (name, (over, gaps)), p in zip(found.items(), corrected, strict=True):
        interval = UNKNOWN
        if over.low is not None and over.high is not None:
            interval = f"{_gap(over.low)} to {_gap(over.high)}"
        rows.append(
            (
                *(Cell(titles[name]), Cell(_gap(over.mean)), Cell(interval)),
                *(Cell(_p(over.p)), Cell(_p(p))),
                *(Cell(_record(gaps)), Cell(str(over.pairs))),
            )
        )
    headings = (f"{focus.shown} minus", "mean", "95 % interval", "p", "p, Holm", _RECORD, "pairs")
    notes = [
        "Ahead, level and behind count columns; level is a mean gap within the gaps' standard "
        "deviation over seeds.",
        "A pair is the same protocol, size, seed and people; the interval is a BCa bootstrap's, "
        "p Wilcoxon's signed-rank test's, corrected for as many comparisons after Holm. "
        "Seeds of one protocol share their people, so take p as a guide.",
    ]
    return Table("comparison", f"{focus.shown} against each other method", headings, rows, notes)


def people(league: League) -> Table | None:
    """How differently people fare: spread of their own macro-F1, each over all seeds."""
    methods, columns = league.methods(STUDENTS), league.columns
    if not methods:
        return None
    rows = []
    for method in methods:
        standings = [league.standing(method.name, column) for column in columns]
        cells = (Cell(_spread(s.people) if s else UNKNOWN) for s in standings)
        rows.append((Cell(method.shown), *cells))
    notes = [
        "Macro-F1 of each unseen person over the classes that the person did, mean over seeds."
    ]
    headings = ("method", *map(_heading, columns))
    return Table("people", "Spread over people", headings, rows, notes)


def costs(league: League) -> Table | None:
    """What each model costs, and what int8 cost it; the teacher beside it."""
    rows = []
    groups = ((STUDENTS, league.columns), ("architecture", league.own_columns))
    for group, columns in (*groups, ("forest", league.own_columns)):
        for column in (column for column in columns if column.main):
            for method in league.methods(group):
                standing = league.standing(method.name, column)
                if standing:
                    rows.append(_cost(column, method, standing))
    if not rows:
        return None
    headings = ("protocol", "method", "float F1", "score", "teacher F1", "parameters", "MACs")
    notes = [
        "Score is the int8 model's macro-F1, of networks that cannot be int8 the float model's; "
        "flash is the compiled model's, RAM its activations and the engine's state; instructions "
        "are a window's on the emulated Cortex-M4; time is one thread's, without the teacher."
    ]
    device = ("flash", "RAM", "instructions", "time")
    return Table("costs", "Costs", (*headings, *device), rows, notes, words=2)


def _cost(column: Column, method: Method, one: Standing) -> tuple[Cell, ...]:
    values = (
        *(column.title, _told(method), _three(one.floating), _three(one.seeds.mean)),
        *(_three(one.teacher), formats.count(one.parameters), formats.count(one.macs)),
        *(formats.count(one.flash_bytes), formats.count(one.ram_bytes)),
        *(formats.count(one.instructions), formats.duration(one.seconds)),
    )
    return tuple(map(Cell, values))


def _about_scores(
    league: League, methods: Sequence[Method], columns: Sequence[Column]
) -> list[str]:
    standings = [league.standing(m.name, column) for m in methods for column in columns]
    runs = sorted({s.seeds.n for s in standings if s})
    over = f"{' or '.join(map(str, runs))} seed{'' if runs == [1] else 's'}"
    told = f"Macro-F1 on unseen people, mean ± standard deviation over {over}"
    left_out = any(fold is not None for column in columns for fold in column.folds)
    notes = [f"{told}{'; with leave-one-out, of the mean over people' if left_out else ''}."]
    if any(s and s.missing for s in standings):
        notes.append("* not all seeds are finished.")
    if any(not column.main for column in columns):
        notes.append("Mean and rank take the columns in which all methods meet the same people.")
    return notes


def _about_ranks(league: League) -> list[str]:
    ranked = league.ranking(by_people=False)
    if ranked is None or ranked[1].blocks < 2:
        return []
    methods, ranking = ranked
    told = (
        f"Ranks over {ranking.blocks} columns: Friedman p {_p(ranking.p)}, critical difference "
        f"{ranking.critical:.1f} at {LEVEL:g} (Nemenyi)."
    )
    absent = [m.shown for m in league.methods(STUDENTS) if m not in methods]
    return [told, f"Not ranked for want of a column: {', '.join(absent)}."] if absent else [told]


def _scored(standing: Standing | None, best: float | None) -> Cell:
    if standing is None:
        return Cell(UNKNOWN)
    text = _spread(standing.seeds) + ("*" if standing.missing else "")
    return Cell(text, best=standing.seeds.mean == best)


def _spread(over: Summary) -> str:
    return f"{over.mean:.3f}" + (f"±{over.std:.3f}".replace("±0.", "±.") if over.n > 1 else "")


def _heading(column: Column) -> str:
    size = "" if column.size is None else short(column.size)
    return "\n".join(line for line in (column.protocol, size, column.note) if line)


def _told(method: Method) -> str:
    return f"{method.shown} (float)" if method.arithmetic == "float" else method.shown


def _three(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}"


def _gap(value: float) -> str:
    text = f"{value:+.3f}".replace("-", "−")
    return "±0.000" if text.lstrip("+−") == "0.000" else text


_RECORD = "ahead/level/behind"


def _record(gaps: Sequence[Summary]) -> str:
    """How often ahead, level and behind; what rounds to the same third decimal is level."""
    spreads = [max(gap.std, 0.0005) for gap in gaps]
    level = sum(abs(gap.mean) <= spread for gap, spread in zip(gaps, spreads, strict=True))
    ahead = sum(gap.mean > spread for gap, spread in zip(gaps, spreads, strict=True))
    return f"{ahead} / {level} / {len(gaps) - ahead - level}"


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _range(values: Sequence[float]) -> str:
    ends = sorted({_short(min(values)), _short(max(values))}) if values else [UNKNOWN]
    return ends[0] if len(ends) == 1 else f"{_short(min(values))}–{_short(max(values))}"


def _short(value: float) -> str:
    return f"{value / 1000:.0f}k" if value >= 10_000 else f"{value / 1000:.1f}k"


def _highest(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def markdown(table: Table) -> Iterator[str]:
    """Lines of a Markdown table with its title and notes."""
    yield from (f"## {table.title}", "")
    yield _line(heading.replace("\n", "<br>") for heading in table.headings)
    yield _line([*["---"] * table.words, *["---:"] * (len(table.headings) - table.words)])
    for row in table.rows:
        yield _line(f"**{cell.text}**" if cell.best else cell.text for cell in row)
    for note in table.notes:
        yield from ("", note.replace("*", r"\*"))
    yield ""


def _line(cells: Sequence[str] | Iterator[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
