"""What a personal run tells: ``metrics.json`` for machines, ``report.html`` for people."""

from __future__ import annotations

import json
import math
from typing import Any

from tinyhar.personal.judge import BeforeAfter, Judgement, confused
from tinyhar.personal.page import Row, render
from tinyhar.pipeline.folder import METRICS, REPORT, RunFolder
from tinyhar.pipeline.personal_judge import Judged


def write_report(folder: RunFolder, facts: dict[str, Any], judged: Judged) -> dict[str, Any]:
    """Leave both files in the folder; returns what metrics.json holds."""
    names = facts["classes"]
    metrics = {
        **facts,
        "held_out": _compared(judged.own, names),
        "old_classes": _compared(judged.old, names),
        "rejection": {
            "score": judged.rejection.score,
            "threshold": judged.rejection.threshold,
            "threshold_steps": judged.threshold_steps,
            "wanted_false_rejects": judged.rejection.wanted,
            "false_rejects": judged.rejection.false_rejects,
            "catch_rate": judged.rejection.catch_rate,
            "caught": dict(judged.rejection.caught),
        },
    }
    metrics = plain(metrics)
    folder.write_text(METRICS, json.dumps(metrics, indent=1))
    after = judged.own.after if judged.own else None
    page = render(
        metrics,
        rows=_rows(metrics),
        confusions=confused(after, names) if after else [],
    )
    folder.write_text(REPORT, page)
    return metrics


def _compared(pair: BeforeAfter | None, names: list[str]) -> dict[str, Any] | None:
    if pair is None:
        return None
    return {
        "windows": pair.after.windows,
        "gain": pair.gain,
        "relative_gain": pair.relative_gain,
        "before": _judgement(pair.before, names),
        "after": _judgement(pair.after, names),
    }


def _judgement(judgement: Judgement, names: list[str]) -> dict[str, Any]:
    return {
        "macro_f1": judgement.macro_f1,
        "accuracy": judgement.accuracy,
        "class_f1": dict(zip(names, judgement.class_f1.tolist(), strict=True)),
        "confusion": judgement.confusion.tolist(),
    }


def _rows(metrics: dict[str, Any]) -> list[Row]:
    """A row a class: what it is, and its F1 on the user's later windows and on other people's."""

    def f1(part: str, side: str, name: str) -> float | None:
        found = metrics[part]
        return found[side]["class_f1"][name] if found else None

    standing = dict.fromkeys(metrics["recorded_again"], "recorded again")
    standing |= dict.fromkeys(metrics["new"], "new")
    return [
        Row(
            name,
            standing.get(name, "as it was"),
            metrics["seconds_a_class"].get(name),
            f1("held_out", "before", name),
            f1("held_out", "after", name),
            f1("old_classes", "before", name),
            f1("old_classes", "after", name),
            metrics["rejection"]["caught"].get(name),
        )
        for name in metrics["classes"]
    ]


def plain(value: Any) -> Any:
    """Only what JSON has: a number that is none becomes null."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
