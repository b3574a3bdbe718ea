"""Training: what a student learns from labels and from a teacher.

`train.fit` is the loop that runs any method; `method` is the interface between. Pure functions of
tensors stand apart from the methods that combine them: `losses` (labels, Hinton), `stage`, `memory`
and `conditional` (SMLDist), and beside its peer's class each of `fitnet`, `attention_transfer`,
`similarity`, `relational`, `variational`, `selectivity` and `tsak`. `memorise` gives a teacher the
memory that SMLDist needs, `phases` trains TSAK's teacher in two; in `competition` several `heads`
of different kinds train on one backbone and the best is chosen.
"""

from __future__ import annotations

from tinyhar.distill.attach import attach
from tinyhar.distill.attention_transfer import AttentionTransfer
from tinyhar.distill.augment import Augment, AugmentConfig
from tinyhar.distill.competition import alone, choose, compete, shares
from tinyhar.distill.fitnet import FitNet
from tinyhar.distill.hinton import Hinton
from tinyhar.distill.memorise import Memorising, Memory
from tinyhar.distill.method import Method, Outputs
from tinyhar.distill.phases import Phase, Representations, phases
from tinyhar.distill.plain import NoDistillation
from tinyhar.distill.registry import METHODS, method, options_of
from tinyhar.distill.relational import Relational
from tinyhar.distill.similarity import SimilarityPreserving
from tinyhar.distill.smldist import SMLDist
from tinyhar.distill.snapshot import EpochReport, Snapshot
from tinyhar.distill.teacher import Teacher
from tinyhar.distill.together import Together
from tinyhar.distill.train import Examples, FitConfig, History, Seen, fit, logits, macro_f1
from tinyhar.distill.tsak import TSAK

__all__ = [
    "METHODS",
    "TSAK",
    "AttentionTransfer",
    "Augment",
    "AugmentConfig",
    "EpochReport",
    "Examples",
    "FitConfig",
    "FitNet",
    "Hinton",
    "History",
    "Memorising",
    "Memory",
    "Method",
    "NoDistillation",
    "Outputs",
    "Phase",
    "Relational",
    "Representations",
    "SMLDist",
    "Seen",
    "SimilarityPreserving",
    "Snapshot",
    "Teacher",
    "Together",
    "alone",
    "attach",
    "choose",
    "compete",
    "fit",
    "logits",
    "macro_f1",
    "method",
    "options_of",
    "phases",
    "shares",
]
