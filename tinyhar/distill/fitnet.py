"""FitNet: the student's features, through a learned regressor, are to equal the teacher's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import tensorflow as tf

from tinyhar.distill.features import check_stage
from tinyhar.distill.guided import FeatureMethod
from tinyhar.distill.method import Outputs, Shapes
from tinyhar.distill.projection import Projection


def hint(teacher: tf.Tensor, regressed: tf.Tensor) -> tf.Tensor:
    """MSE(R(F_s), F_t) (Romero et al. 2015, equation 3, as a mean instead of half a sum)."""
    return tf.reduce_mean(tf.math.squared_difference(regressed, teacher))


@dataclass
class FitNet(FeatureMethod):
    """Romero et al. 2015, with R a 1x1 convolution along time.

    The paper trains to the hint first and to the logits after; here both at once, as later
    comparisons do (ours).
    """

    name: ClassVar[str] = "fitnet"
    stages: tuple[str, ...] = ("stage2",)
    _regressors: dict[str, Projection] = field(default_factory=dict, init=False, repr=False)

    def build(self, teacher: Shapes, student: Shapes) -> list[tf.Variable]:
        """A regressor for each stage."""
        self._regressors = {
            stage: Projection(f"fitnet/{stage}", *check_stage(self.name, stage, teacher, student))
            for stage in self.stages
        }
        return [v for regressor in self._regressors.values() for v in regressor.variables]

    def features(self, teacher: Outputs, student: Outputs) -> tf.Tensor:
        """The hints of all stages."""
        return tf.add_n([hint(teacher[s], self._regressors[s](student[s])) for s in self.stages])
