"""One run's configuration: a TOML file, checked in full before any work starts.

A recipe has one table per stage of the pipeline::

    name = "hapt"
    seed = 1

    [data]
    source = "hapt"
    window = 128
    stride = 64

    [split]
    test = ["2", "4", "9"]

    [student]
    architecture = "separable"

Whatever is left out takes the default that stands here. A misspelt key, a value out of range or
of the wrong type raises :class:`~tinyhar.errors.RecipeError` with file, key and remedy.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from tinyhar import settings
from tinyhar.errors import RecipeError
from tinyhar.recordings import DATASETS
from tinyhar.settings import Table

BUILT_IN = Path(__file__).parent / "recipes"
"""The recipes that come with the package."""

Share = Annotated[float, Field(ge=0, le=1)]
Epochs = Annotated[int, Field(ge=1, le=2000)]
Rate = Annotated[float, Field(gt=0, le=0.1)]


class Senses(Table):
    """Which sensors a network has: those of these kinds at these positions, along these axes."""

    positions: tuple[str, ...] | None = None
    """On the body; none: wherever the data set has sensors."""
    kinds: tuple[str, ...] = ("acc", "gyro")
    axes: tuple[Literal["x", "y", "z"], ...] | None = None
    """Of each sensor; none: all three."""


class Data(Senses):
    """Which recordings, and how windows are cut from them; the sensors are the band's."""

    source: str
    """Name of the data set: see ``tinyhar data list``."""
    synchronise: bool = False
    """Devices with clocks of their own: align them by the movement that all of them felt."""
    activities: tuple[str, ...] | None = None
    """Classes of the band, in order; none: every activity of the data set."""
    rate: Annotated[float, Field(gt=0, le=1000)] = 50.0
    """Hz; recordings at another rate are resampled."""
    window: Annotated[int, Field(ge=8, le=2048)] = 128
    """Samples."""
    stride: Annotated[int, Field(ge=1, le=2048)] = 64
    """Samples."""
    within: Literal["labels", "recording"] = "labels"
    """Windows inside each run of one label, or over everything by majority."""
    threshold: Share = 0.5
    """Least share of a window's samples that its majority label must have."""
    acc_full_scale_g: Annotated[float, Field(gt=0, le=64)] = 8.0
    """What the band's sensor is set to: the largest acceleration that a count tells, in g."""
    gyro_full_scale_dps: Annotated[float, Field(gt=0, le=8000)] = 2000.0

    @model_validator(mode="after")
    def _known_source(self) -> Data:
        if self.source not in DATASETS:
            hint = settings.hint(self.source, sorted(DATASETS))
            raise ValueError(f"source '{self.source}' is no data set: {hint}")
        return self


class Splits(Table):
    """Who is tested, who decides when training stops; everybody else trains."""

    test: tuple[str, ...] = ()
    leave_one_out: tuple[str, ...] = ()
    """Instead of `test`: one run for each of these subjects, tested on that subject alone."""
    validation: tuple[str, ...] | Annotated[int, Field(ge=0)] = 3
    """Subjects by name, or how many to draw with the seed; 0: everybody else trains, and each
    training keeps the weights at the end of its schedule."""

    @model_validator(mode="after")
    def _one_protocol(self) -> Splits:
        if bool(self.test) == bool(self.leave_one_out):
            raise ValueError("name either the 'test' subjects or those to 'leave_one_out'")
        return self


class Training(Table):
    """How long and how hard a network trains."""

    epochs: Epochs = 60
    batch: Annotated[int, Field(ge=8, le=4096)] = 64
    rate: Rate = 2e-3
    """Learning rate at its highest."""
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    weight_decay: Annotated[float, Field(ge=0, le=0.5)] = 1e-2
    mixup: Annotated[float, Field(ge=0, le=4)] = 0.0
    """a of Beta(a, a) by which windows and labels are mixed in pairs; 0: not."""
    average: Annotated[float, Field(ge=0, lt=1)] = 0.998
    """Decay, a step, of the running mean of the weights that is validated and kept; 0: none."""
    balance: Share = 0.0
    """Power of the inverse class frequency by which windows are drawn; 0: each once."""
    settle: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of the epochs that pass before weights are worth keeping."""
    views: Annotated[int, Field(ge=0)] = 0
    """Epochs after which windows come again augmented as before, and the teacher's logits from
    memory: faster; 0: augmented anew each epoch."""
    patience: Annotated[int, Field(ge=0)] = 0
    """Epochs without a better validation macro-F1 before training stops; 0: never."""


class Network(Table):
    """An architecture of the model zoo and its size."""

    architecture: str
    options: dict[str, float | int | bool | str | tuple[int, ...]] = Field(default_factory=dict)
    """Passed to the architecture's `build`: see ``tinyhar/models``."""
    training: Training = Training()


class Teacher(Network):
    """The network that is too big for the band."""

    architecture: str = "mobilenetv3"
    members: Annotated[int, Field(ge=1, le=16)] = 1
    """So many networks, alike but for their seeds, whose mean of logits teaches."""
    senses: Senses | None = None
    """What the teacher sees besides the band's sensors, or instead; none: what the band has."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    """Instead of the recipe's: one teacher for students of several seeds."""
    training: Training = Training(epochs=24)


class Student(Network):
    """The network that goes to the band."""

    architecture: str = "separable"
    training: Training = Training(epochs=50)


class Distillation(Table):
    """How the teacher helps: a method of ``tinyhar/distill``, each after its paper."""

    method: Literal[
        "none", "hinton", "fitnet", "at", "sp", "rkd", "vid", "nst", "smldist", "tsak"
    ] = "hinton"
    temperature: Annotated[float, Field(gt=0, le=50)] = 4.0
    """Of method hinton; other methods take theirs from `options`."""
    weight: Share = 0.9
    """Of method hinton: share of the teacher in the loss; the labels have the rest."""
    options: dict[str, bool | float | str | tuple[str, ...]] = Field(default_factory=dict)
    """Passed to the method: weights and switches of its terms, see ``tinyhar/distill``."""
    also: dict[str, dict[str, bool | float | str | tuple[str, ...]]] = Field(default_factory=dict)
    """Further methods with their options, whose losses are added."""
    heads: tuple[Literal["linear", "cosine", "memory", "mlp", "attention"], ...] = ()
    """Classifiers that compete on the student's backbone until one is chosen; none: its own."""

    @model_validator(mode="after")
    def _hintons_keys_are_for_hinton(self) -> Distillation:
        for key in ("temperature", "weight") if self.method != "hinton" else ():
            if getattr(self, key) != Distillation.model_fields[key].default:
                raise ValueError(
                    f"'{key}' is for method 'hinton'; '{self.method}' takes its own in 'options'"
                )
        return self


class Augmentation(Table):
    """What a band meets that recordings lack; zero switches a part off."""

    rotation: Annotated[float, Field(ge=0, le=180)] = 25.0
    """Degrees that the band may sit turned, about any axis."""
    noise: Annotated[float, Field(ge=0, le=2)] = 0.05
    """White, in standard deviations of each channel."""
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Largest relative change of a sensor's gain."""
    warp: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Largest relative change of pace."""


class Pruning(Table):
    """Whole channels are removed (structured), or small weights set to zero (magnitude).

    With a budget, instead of a share, channels go until what is left keeps all of its limits;
    `flash_bytes`, `ram_bytes` and `instructions` are those of `tinyhar search`, measured on the
    emulated Cortex-M4 with the engine counted.
    """

    method: Literal["none", "channels", "magnitude"] = "channels"
    by: Literal["l1", "bn", "sensitivity"] = "l1"
    """Which channels: an equal share of the least important everywhere, or those missed least."""
    share: Annotated[float, Field(gt=0, lt=1)] = 0.25
    """Of the channels (or weights) that go."""
    parameters: Annotated[int, Field(ge=100)] | None = None
    flash_bytes: Annotated[int, Field(ge=1000)] | None = None
    ram_bytes: Annotated[int, Field(ge=100)] | None = None
    instructions: Annotated[int, Field(ge=1000)] | None = None
    training: Training = Training(epochs=16, rate=1e-3)

    @property
    def budget(self) -> dict[str, int]:
        """The limits that are set, by name."""
        limits = {name: getattr(self, name) for name in (*DEVICE_LIMITS, "parameters")}
        return {name: limit for name, limit in limits.items() if limit is not None}

    @model_validator(mode="after")
    def _channels_have_budgets(self) -> Pruning:
        if self.method != "channels" and (self.budget or self.by != "l1"):
            key = next(iter(self.budget), "by")
            raise ValueError(f"'{key}' goes with method 'channels', not '{self.method}'")
        return self


DEVICE_LIMITS = ("flash_bytes", "ram_bytes", "instructions")
"""Limits of a pruning that a device is measured for."""


REVISIONS = {"smldist": 2}
"""Raised where a method's losses change: what was trained with others is trained again."""


class Clustering(Table):
    """Weights share a few values, numbered by four bits on the band (after pruning)."""

    values: Annotated[int, Field(ge=2, le=16)] | None = None
    """Different weights of a layer at most; none: no clustering."""
    training: Training = Training(epochs=8, rate=5e-4, average=0.99, settle=0)


class Quantisation(Table):
    """To int8: quantisation-aware fine-tuning, or calibration after training."""

    method: Literal["qat", "ptq"] = "qat"
    clip: Annotated[float, Field(gt=0.9, le=1)] = 0.9995
    """Share of the normalised training samples that the int8 input must hold."""
    training: Training = Training(epochs=5, rate=3e-4, schedule="cosine", average=0.99, settle=0)


class Band(Table):
    """What runs on the wrist, and where it is proved."""

    engine: Literal["compiled"] = "compiled"
    boards: tuple[Literal["host", "mps2_an386"], ...] = ("host", "mps2_an386")
    smooth_length: Annotated[int, Field(ge=1, le=16)] = 3
    """Windows whose mean is shown."""
    smooth_hold: Annotated[int, Field(ge=1, le=16)] = 1
    """Windows in a row that a new class must lead before it is shown."""
    teaching: bool = True
    """The band can be taught classes without a computer."""
    extra_ram: Annotated[int, Field(ge=0)] = 0
    """Bytes that may keep what overlapping windows share: fewer instructions, the same answers."""


class Recipe(Table):
    """Everything that one run depends on."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    data: Data
    split: Splits
    teacher: Teacher = Teacher()
    student: Student = Student()
    distillation: Distillation = Distillation()
    augmentation: Augmentation = Augmentation()
    pruning: Pruning = Pruning()
    clustering: Clustering = Clustering()
    quantisation: Quantisation = Quantisation()
    band: Band = Band()

    @property
    def senses(self) -> Senses | None:
        """The teacher's sensors, where they are not the band's."""
        return self.teacher.senses

    @property
    def revisions(self) -> dict[str, int]:
        """Of the methods of distillation that compute something else than they once did."""
        used = (self.distillation.method, *self.distillation.also)
        return {name: REVISIONS[name] for name in used if name in REVISIONS}

    @property
    def split_seed(self) -> int | None:
        """Draws who validates; None where nobody is drawn: then all seeds see the same windows."""
        drawn = isinstance(self.split.validation, int) and self.split.validation > 0
        return self.seed if drawn else None

    @property
    def teacher_seed(self) -> int:
        """The teacher's own seed, or the recipe's."""
        return self.seed if self.teacher.seed is None else self.teacher.seed

    @model_validator(mode="after")
    def _patience_needs_validation(self) -> Recipe:
        parts = ("teacher", "student", "pruning", "clustering", "quantisation")
        waiting = [part for part in parts if getattr(self, part).training.patience]
        if waiting and not self.split.validation:
            raise ValueError(
                f"{waiting[0]}.training.patience needs somebody to validate on: set it to 0, or "
                "hold subjects out (split.validation)"
            )
        return self

    @model_validator(mode="after")
    def _training_keeps_what_compression_made(self) -> Recipe:
        makers = {
            "pruning.method 'magnitude'": self.pruning.method == "magnitude",
            "clustering": self.clustering.values is not None,
        }
        maker = next((name for name, used in makers.items() if used), None)
        if maker and self.quantisation.method == "qat":
            raise ValueError(
                f"{maker} goes with quantisation.method 'ptq': "
                "quantisation-aware training would give every weight a value of its own again"
            )
        if all(makers.values()):
            raise ValueError(
                "clustering would fill the zeros of pruning.method 'magnitude': choose one"
            )
        return self


def load(path: Path | str) -> Recipe:
    """Read a recipe from a file, or a built-in one by its name.

    Raises:
        RecipeError: no such file, not TOML, a key or value that cannot be.
    """
    file = settings.find(path, BUILT_IN, "recipe")
    return parse(settings.read(file), origin=str(file))


def parse(table: dict[str, Any], origin: str = "recipe") -> Recipe:
    """Check a table as read from TOML.

    Raises:
        RecipeError: names the first key at fault, what was expected and what to do.
    """
    return settings.check(Recipe, table, origin)


def changed(recipe: Recipe, changes: list[str]) -> Recipe:
    """The recipe with ``table.key=value`` changes; values are TOML, or bare words.

    Raises:
        RecipeError: a change without ``=``, or one that :func:`parse` refuses.
    """
    table = recipe.model_dump(mode="json", exclude_none=True)
    for change in changes:
        path, equals, text = change.partition("=")
        if not equals:
            raise RecipeError(f"--set {change}: expected table.key=value")
        *tables, key = path.strip().split(".")
        inner = table
        for name in tables:
            inner = inner.setdefault(name, {})
            if not isinstance(inner, dict):
                raise RecipeError(f"--set {change}: '{name}' is a value, not a table of keys")
        inner[key] = _value(text.strip())
    return parse(table, origin="--set") if changes else recipe


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def folds(recipe: Recipe) -> list[Recipe]:
    """The runs that a recipe asks for: itself, or one for each subject left out."""
    if not recipe.split.leave_one_out:
        return [recipe]
    return [
        recipe.model_copy(
            update={
                "name": f"{recipe.name}-without-{subject.lower()}",
                "split": Splits(test=(subject,), validation=_without(recipe.split, subject)),
            }
        )
        for subject in recipe.split.leave_one_out
    ]


def _without(split: Splits, subject: str) -> tuple[str, ...] | int:
    if isinstance(split.validation, int):
        return split.validation
    return tuple(name for name in split.validation if name != subject)


def quick(recipe: Recipe) -> Recipe:
    """The same run with a few epochs a stage: to try a recipe, not to trust its figures."""

    def shorter(part: Any, epochs: int) -> Any:
        few = part.training.model_copy(update={"epochs": min(epochs, part.training.epochs)})
        return part.model_copy(update={"training": few})

    return recipe.model_copy(
        update={
            "teacher": shorter(recipe.teacher, 8),
            "student": shorter(recipe.student, 12),
            "pruning": shorter(recipe.pruning, 4),
            "clustering": shorter(recipe.clustering, 2),
            "quantisation": shorter(recipe.quantisation, 2),
        }
    )
