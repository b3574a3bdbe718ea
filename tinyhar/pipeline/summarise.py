"""The last stage: what all the others found out, as ``metrics.json`` and ``report.html``."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np

import tinyhar
from tinyhar.band.desk import BUNDLE, INT8, VALIDATION
from tinyhar.distill.heads import HEADS
from tinyhar.evaluate import run_report as reports
from tinyhar.evaluate.cost import StepCost, float_bytes, gzip_bytes
from tinyhar.evaluate.metrics import Evaluation, evaluate
from tinyhar.evaluate.metrics_json import metrics_json
from tinyhar.evaluate.report import render
from tinyhar.evaluate.run_report import Missing, RunReport
from tinyhar.pipeline.explain import ATTENTION, read_attention
from tinyhar.pipeline.folder import METRICS, REPORT, RunFolder
from tinyhar.pipeline.prepare import FILE, Prepared
from tinyhar.pipeline.shrink import asked
from tinyhar.pipeline.teacher import TEACHER
from tinyhar.recipe import Recipe
from tinyhar.recordings import dataset
from tinyhar.settings import to_toml
from tinyhar.splits import SIDES

Facts = dict[str, Any]

VERSIONS = ("tensorflow", "tf-keras", "tensorflow-model-optimization", "tflite-micro", "numpy")

PURPOSES = {
    "recipe.toml": "this run's configuration, every default written out",
    METRICS: "the numbers of this report, for machines",
    FILE: "windows as sensor counts, with split and normalisation",
    TEACHER: "the teacher, Keras",
    ATTENTION: "where the teacher looks, for each class",
    "student/model.keras": "the distilled student before pruning, Keras",
    "pruned/model.keras": "the pruned student, Keras",
    INT8: "the int8 student, TensorFlow Lite",
    BUNDLE: "all that a band needs to run the model, in one file",
    VALIDATION: "the unseen subjects' counts with the desk's answers",
    "export/README.txt": "C arrays and the compiled model for your own firmware: start here",
    "firmware/host/tinyhar-band": "the band as a program of this machine",
    "firmware/mps2_an386/tinyhar-band.elf": "the band for an emulated Cortex-M4",
}


def summarise(
    recipe: Recipe,
    folder: RunFolder,
    data: Prepared,
    facts: dict[str, Facts],
    *,
    quick: bool,
) -> dict[str, Any]:
    """Write ``metrics.json`` and ``report.html`` from all stages' facts; returns the metrics."""
    judge = _Judge(data)
    provenance = _provenance(recipe, facts)
    folder.write_text("versions.json", json.dumps(dict(provenance.versions), indent=1))
    report = RunReport(
        title=recipe.name,
        data=_data(recipe, data, facts["prepare"]),
        teacher=_teacher(recipe, folder, facts, judge),
        student=_student(recipe, folder, facts, judge),
        device=_device(facts["prove"], judge),
        memory=_memory(facts["build"]),
        examples=_examples(data),
        curves=_curves(facts),
        agreement=_agreement(facts),
        provenance=provenance,
        files=_files(folder),
        quick=quick,
    )
    metrics = metrics_json(report)
    folder.write_text(METRICS, json.dumps(metrics, indent=1))
    folder.write_text(REPORT, render(report))
    return metrics


class _Judge:
    """Judges answers to the unseen subjects' windows."""

    def __init__(self, data: Prepared) -> None:
        test = data.side("test")
        self.true, self.subjects = data.y[test], data.subject[test].tolist()
        self.classes = len(data.classes)

    def __call__(self, predicted: list[int]) -> Evaluation:
        n = len(predicted)
        return evaluate(self.true[:n], predicted, self.subjects[:n], classes=self.classes)


def _data(recipe: Recipe, data: Prepared, facts: Facts) -> reports.DataReport:
    info = dataset(recipe.data.source)
    sides = {
        side: reports.Side(tuple(facts["subjects"][side]), tuple(facts["windows"][side]))
        for side in SIDES
    }
    return reports.DataReport(
        name=info.name,
        title=info.title,
        synthetic=info.name == "synthetic",
        classes=data.classes,
        channels=tuple(channel.name for channel in data.channels),
        units=tuple(channel.unit for channel in data.channels),
        window=data.window,
        stride=recipe.data.stride,
        rate=data.rate,
        homepage=info.homepage,
        left_out=tuple(facts.get("left_out", ())),
        borrowed=data.borrowed,
        borrowed_from=recipe.data.borrow,
        **sides,
    )


def _times(members: int) -> str:
    return "" if members == 1 else f"{members} × "


def _teacher(
    recipe: Recipe, folder: RunFolder, stages: dict[str, Facts], judge: _Judge
) -> reports.TeacherReport | Missing:
    facts = stages.get("teach")
    if facts is None:
        return Missing(
            "No teacher was trained: the student learned from the labels alone "
            "(distillation.method is 'none')."
        )
    return reports.TeacherReport(
        name=_times(recipe.teacher.members) + recipe.teacher.architecture,
        evaluation=judge(facts["predicted"]),
        parameters=facts["parameters"],
        macs=facts["macs"],
        attention=read_attention(folder) if facts.get("attention") else None,
        latency_ms=stages["prove"].get("desk_latency_ms", {}).get("teacher"),
        channels=tuple(facts["channels"]),
        views={name: judge(answers) for name, answers in facts["views"].items()},
        without={place: judge(answers) for place, answers in facts["without"].items()},
    )


def _student(
    recipe: Recipe, folder: RunFolder, facts: dict[str, Facts], judge: _Judge
) -> reports.StudentReport:
    distilled, pruned, delivered = facts["distil"], facts["prune"], facts["convert"]
    whole = judge(distilled["predicted"])
    clustered = pruned.get("clustered")
    final = judge(pruned["predicted"])
    before = judge(clustered["before"]) if clustered else final
    int8 = judge(delivered["predicted"])
    calibrated = judge(facts["quantise"]["calibrated"]["predicted"])
    size = pruned["parameters"]
    taught = "distilled student" if recipe.distillation.needs_teacher else "student"
    steps = [
        StepCost(
            f"{taught}, float",
            whole.macro_f1,
            distilled["parameters"],
            float_bytes(distilled["parameters"]),
        )
    ]
    if pruned["curve"] is not None:  # else nothing was to be pruned
        steps.append(
            StepCost(
                f"pruned ({recipe.pruning.method}), float",
                before.macro_f1,
                size,
                float_bytes(size),
                f"{_removed(recipe)} removed, then fine-tuned",
            )
        )
    if clustered:
        steps.append(
            StepCost(
                f"clustered ({recipe.clustering.values} values a layer), float",
                final.macro_f1,
                size,
                float_bytes(size),
                "four bits a weight on the band",
            )
        )
    steps.append(
        StepCost(
            "int8 by calibration (PTQ)",
            calibrated.macro_f1,
            size,
            facts["quantise"]["calibrated"]["bytes"],
            "deployed" if recipe.quantisation.method == "ptq" else "for comparison",
        )
    )
    if recipe.quantisation.method == "qat":
        steps.append(
            StepCost(
                "int8 by training (QAT)",
                int8.macro_f1,
                size,
                delivered["tflite_bytes"],
                "deployed",
            )
        )
    steps.append(
        StepCost(
            "compiled for the band",
            int8.macro_f1,
            size,
            delivered["payload_bytes"],
            "the same bytes out, no flatbuffer",
        )
    )
    return reports.StudentReport(
        name=recipe.student.architecture,
        floating=final,
        int8=int8,
        parameters=size,
        macs=pruned["macs"],
        latency_ms=facts["prove"].get("desk_latency_ms", {}).get("student"),
        flash_bytes=delivered["payload_bytes"],
        tflite_bytes=delivered["tflite_bytes"],
        transfer_bytes=gzip_bytes((folder / BUNDLE).read_bytes()),
        steps=tuple(steps),
        heads=_heads(distilled.get("heads", {})),
    )


def _heads(standing: dict[str, dict[str, Any]]) -> tuple[reports.HeadReport, ...]:
    """The classifiers that competed, the largest share first."""
    ranked = sorted(standing.items(), key=lambda item: -item[1]["share"])
    chosen = next((kind for kind, _ in ranked if HEADS[kind].deployable), None)
    return tuple(
        reports.HeadReport(kind, **told, deployable=HEADS[kind].deployable, chosen=kind == chosen)
        for kind, told in ranked
    )


def _removed(recipe: Recipe) -> str:
    table = recipe.pruning
    if table.budget:
        return f"channels over a budget of {asked(table)}"
    return f"{table.share:.0%} of the {'channels' if table.method == 'channels' else 'weights'}"


def _device(facts: Facts, judge: _Judge) -> reports.DeviceReport | Missing:
    """The headline's board: the microcontroller where it answered, else the host."""
    answered = {board: told for board, told in facts["boards"].items() if "missing" not in told}
    for board in ("mps2_an386", "host"):
        if board in answered:
            told = answered[board]
            return reports.DeviceReport(
                board=board,
                engine=told["engine"],
                windows=told["windows"],
                equal=told["equal"],
                evaluation=judge(told["predicted"]),
                instructions_per_window=told["instructions_per_window"],
                latency_ms=told["latency_ms"],
                latency_note=told["latency_note"],
                windows_per_second=told["windows_per_second"],
                first_mismatch=told["first_mismatch"],
            )
    reasons = "; ".join(told["missing"] for told in facts["boards"].values())
    return Missing(f"No band has answered: {reasons or 'the recipe names no board'}.")


def _memory(facts: Facts) -> reports.MemoryReport | Missing:
    for board in ("mps2_an386", "host"):
        built = facts["boards"].get(board, {})
        if built.get("parts"):
            parts = tuple(reports.MemoryPart(**part) for part in built["parts"])
            return reports.MemoryReport(board, parts)
    reasons = [built["missing"] for built in facts["boards"].values() if "missing" in built]
    return Missing("; ".join(reasons) or "No firmware for a microcontroller was built.")


def _examples(data: Prepared) -> tuple[reports.Example, ...]:
    """A window of each class, from the middle of what a training subject did of it."""
    train = data.side("train")
    found = []
    for k, name in enumerate(data.classes):
        index = np.flatnonzero(train & (data.y == k))
        chosen = index[len(index) // 2 : len(index) // 2 + 1]
        found.append(reports.Example(name, str(data.subject[chosen[0]]), data.units(chosen)[0]))
    return tuple(found)


def _curves(facts: dict[str, Facts]) -> tuple[reports.Curve, ...]:
    clustered = facts["prune"].get("clustered", {})
    trainings = (
        (facts.get("teach", {}).get("curve"), "teacher"),
        (facts["distil"]["curve"], "student"),
        (facts["distil"].get("chosen_curve"), "student with the chosen classifier"),
        (facts["prune"]["curve"], "after pruning"),
        (clustered.get("curve"), "after clustering"),
        (facts["quantise"]["curve"], "int8-aware"),
    )
    curves = []
    for told, title in trainings:
        if told:
            epochs = told["epochs"]
            curves.append(
                reports.Curve(
                    name=title,
                    loss=tuple(epoch["loss"] for epoch in epochs),
                    validation_f1=tuple(
                        epoch["macro_f1"] for epoch in epochs if epoch["macro_f1"] is not None
                    ),
                    best_epoch=told["best_epoch"],
                    seconds=sum(epoch["seconds"] for epoch in epochs),
                )
            )
    return tuple(curves)


def _agreement(facts: dict[str, Facts]) -> tuple[reports.AgreementRow, ...]:
    delivered = facts["convert"]
    rows = [
        reports.AgreementRow(
            "integer reference",
            "desk",
            delivered["windows"],
            delivered["desk_equal"],
            f"against {delivered['reference']}",
        )
    ]
    for board, told in facts["prove"]["boards"].items():
        row = (
            reports.AgreementRow("compiled", board, 0, 0, told["missing"])
            if "missing" in told
            else reports.AgreementRow(
                told["engine"], board, told["windows"], told["equal"], told["note"]
            )
        )
        rows.append(row)
    return tuple(rows)


def _provenance(recipe: Recipe, facts: dict[str, Facts]) -> reports.Provenance:
    return reports.Provenance(
        recipe_name=recipe.name,
        recipe=to_toml(recipe),
        created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        versions={
            "tinyhar": tinyhar.__version__,
            "python": platform.python_version(),
            **{name: _version(name) for name in VERSIONS},
        },
        seeds={"run": recipe.seed},
        hashes={"recordings": facts["prepare"]["digest"], "bundle": facts["convert"]["identity"]},
        seconds={stage: told["seconds"] for stage, told in facts.items()},
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:
        return "not installed"


def _files(folder: RunFolder) -> tuple[reports.FileEntry, ...]:
    return tuple(
        reports.FileEntry(name, purpose, (folder / name).stat().st_size)
        for name, purpose in PURPOSES.items()
        if (folder / name).is_file()
    )
