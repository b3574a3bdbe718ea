"""SMLDist: stages, memory and logits of the teacher together (arXiv 2107.07331)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import tensorflow as tf

from tinyhar.distill import losses
from tinyhar.distill.conditional import conditional
from tinyhar.distill.features import check_stage, pooled
from tinyhar.distill.memorise import inverse_temperature
from tinyhar.distill.memory import memory_loss
from tinyhar.distill.method import Method, Outputs, Shapes
from tinyhar.distill.projection import Projection
from tinyhar.distill.stage import frequency_term, time_term
from tinyhar.distill.teacher import memory_key
from tinyhar.errors import ModelError


@dataclass
class SMLDist(Method):
    """label CE + logits L_logits + stage (time L_t + frequency L_f) + memory L_memory.

    A weight of 0 switches its term off: nothing of it is computed. The weights are ours, from
    cross-validation on the training people of four sets (spsw, dsads, motionsense, and hapt with
    1,500 parameters; one seed, six students a row). Mean macro-F1 over the sets:

        label  logits  tau  stage  frequency  memory
        0.75   0.25    4    0.1    0.02       0.1     0.858
        1      0.1     4    0.3    0.02       0.1     0.853
        0.5    0.5     2    0.01   1          0.01    0.853
        0.75   0.25    2    0.1    0.02       0.01    0.849
        Hinton 0.845, FitNet 0.845, no teacher 0.843

    The frequency term is T times the time term for the same gap in the mean of a channel, hence its
    small weight.

    Attributes:
        label: weight of the cross-entropy with the labels.
        label_smoothing: of those labels.
        logits: weight of the smoothed conditional rule (`conditional`).
        temperature: tau of the logits.
        smoothing: e of the label that stands in where the teacher errs.
        stage: weight of the mean over the stages of their losses (`stage`).
        stages: the anchors that are compared.
        time: lambda_t.
        frequency: lambda_f.
        dc: whether the frequency term sees bin 0 (posture).
        memory: weight of the association with the teacher's memory (`memory`).
        memory_stage: the anchor that the memory remembers.
        beta: factor on the association's inverse temperature, 1 / sqrt(d).
        retrieval: mu, weight of what the memory answers against how it associates.
    """

    name: ClassVar[str] = "smldist"
    label: float = 0.75
    label_smoothing: float = 0.0
    logits: float = 0.25
    temperature: float = 4.0
    smoothing: float = 0.98
    stage: float = 0.1
    stages: tuple[str, ...] = ("stage1", "stage2", "stage3")
    time: float = 1.0
    frequency: float = 0.02
    dc: bool = True
    memory: float = 0.1
    memory_stage: str = "stage3"
    beta: float = 1.0
    retrieval: float = 1.0
    _projections: dict[str, Projection] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        terms = ("label", "logits", "stage", "time", "frequency", "memory", "retrieval")
        for term in terms:
            if getattr(self, term) < 0:
                raise ModelError(f"smldist: {term} {getattr(self, term)}: expected at least 0")
        if not (self.label or self.logits or self._stage_terms or self.memory):
            raise ModelError("smldist: every term is switched off: give one of them a weight")
        if self.temperature <= 0 or self.beta <= 0 or not 0 <= self.smoothing < 1:
            raise ModelError(
                f"smldist: temperature {self.temperature}, beta {self.beta}, smoothing "
                f"{self.smoothing}: the first two are above 0, smoothing is from 0 to below 1"
            )
        if self._stage_terms and not self.stages:
            raise ModelError("smldist: no stages: name some, or set stage to 0")

    @property
    def _stage_terms(self) -> bool:
        return self.stage > 0 and (self.time > 0 or self.frequency > 0)

    @property
    def anchors(self) -> tuple[str, ...]:
        """The stages in use, and the memory's."""
        stages = list(self.stages) if self._stage_terms else []
        if self.memory and self.memory_stage not in stages:
            stages.append(self.memory_stage)
        return tuple(stages)

    def build(self, teacher: Shapes, student: Shapes) -> list[tf.Variable]:
        """A projection for each anchor where the widths differ."""
        self._projections = {}
        for stage in self.anchors:
            ours, theirs = check_stage(self.name, stage, teacher, student)
            if ours != theirs:
                self._projections[stage] = Projection(f"smldist/{stage}", ours, theirs)
        if self.memory:
            self._check_memory(teacher)
        return [v for projection in self._projections.values() for v in projection.variables]

    def losses(
        self, teacher: Outputs | None, student: Outputs, targets: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Those of "label", "logits", "stage_time", "stage_frequency", "memory" that are on."""
        assert teacher is not None  # fit() checked
        features = {stage: self._project(stage, student[stage]) for stage in self.anchors}
        parts = {}
        if self.label:
            smooth = losses.smoothed(targets, self.label_smoothing)
            parts["label"] = self.label * losses.cross_entropy(smooth, student["logits"])
        if self.logits:
            parts["logits"] = self.logits * conditional(
                teacher["logits"], student["logits"], targets, self.temperature, self.smoothing
            )
        if self._stage_terms:
            parts |= self._stage_losses(teacher, features)
        if self.memory:
            parts["memory"] = self.memory * self._memory_loss(teacher, features)
        return parts

    def _stage_losses(self, teacher: Outputs, features: Outputs) -> dict[str, tf.Tensor]:
        pairs = [(teacher[stage], features[stage]) for stage in self.stages]
        share, parts = self.stage / len(pairs), {}
        if self.time:
            terms = [time_term(t, s) for t, s in pairs]
            parts["stage_time"] = share * self.time * tf.add_n(terms)
        if self.frequency:
            terms = [frequency_term(t, s, dc=self.dc) for t, s in pairs]
            parts["stage_frequency"] = share * self.frequency * tf.add_n(terms)
        return parts

    def _memory_loss(self, teacher: Outputs, features: Outputs) -> tf.Tensor:
        patterns = teacher[memory_key(self.memory_stage)]
        theirs, ours = pooled(teacher[self.memory_stage]), pooled(features[self.memory_stage])
        beta = self.beta * inverse_temperature(patterns.shape[-1])
        return memory_loss(theirs, ours, patterns, beta, self.retrieval)

    def _project(self, stage: str, features: tf.Tensor) -> tf.Tensor:
        projection = self._projections.get(stage)
        return features if projection is None else projection(features)

    def _check_memory(self, teacher: Shapes) -> None:
        key, width = memory_key(self.memory_stage), teacher[self.memory_stage][-1]
        if key not in teacher:
            have = ", ".join(name for name in teacher if name.startswith(memory_key(""))) or "none"
            raise ModelError(
                f"method 'smldist': the teacher has no memory of {self.memory_stage!r} (it has: "
                f"{have}); train the teacher again, with Memorising, or set memory to 0"
            )
        if teacher[key][-1] != width:
            raise ModelError(
                f"method 'smldist', layer {self.memory_stage!r}: the memory's patterns are "
                f"{teacher[key][-1]} wide, the teacher's features {width}"
            )
