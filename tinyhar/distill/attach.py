"""A method tied to a student and a teacher: features that it wants are there, shapes agree."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf
import tf_keras as keras

from tinyhar.distill.method import Method
from tinyhar.distill.teacher import Teacher, shapes_of
from tinyhar.errors import ModelError
from tinyhar.models import with_anchors


@dataclass(frozen=True)
class Attached:
    """Both models with a dict of outputs, and the method's own variables."""

    student: keras.Model
    teacher: Teacher | None
    extra: list[tf.Variable]

    @property
    def classes(self) -> int:
        """Of the student."""
        return int(shapes_of(self.student)["logits"][-1])


def attach(method: Method, student: keras.Model, teacher: Teacher | None) -> Attached:
    """Raises ModelError, naming method and layer, when the three do not go together."""
    if method.needs_teacher and teacher is None:
        raise ModelError(f"method {method.name!r} needs a teacher")
    try:
        wide = with_anchors(student, method.student_anchors)
        guide = teacher.with_anchors(method.teacher_anchors) if teacher else None
    except ModelError as error:
        raise ModelError(f"method {method.name!r}: {error}") from error
    theirs, ours = guide.shapes if guide else {}, shapes_of(wide)
    if guide and theirs["logits"] != ours["logits"]:
        raise ModelError(
            f"method {method.name!r}, layer 'logits': the teacher knows "
            f"{theirs['logits'][-1]} classes, the student {ours['logits'][-1]}"
        )
    return Attached(wide, guide, method.build(theirs, ours))
