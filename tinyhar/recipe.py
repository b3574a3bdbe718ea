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

import difflib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from tinyhar.errors import RecipeError
from tinyhar.recordings import DATASETS

BUILT_IN = Path(__file__).parent / "recipes"
"""The recipes that come with the package."""

Share = Annotated[float, Field(ge=0, le=1)]
Epochs = Annotated[int, Field(ge=1, le=2000)]
Rate = Annotated[float, Field(gt=0, le=0.1)]


class Table(BaseModel):
    """A table of a recipe: knows its keys, refuses all others, never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(Table):
    """Which recordings, and how windows are cut from them."""

    source: str
    """Name of the data set: see ``tinyhar data list``."""
    positions: tuple[str, ...] | None = None
    kinds: tuple[str, ...] = ("acc", "gyro")
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
    gyro_full_scale_dps: Annotated[float, Field(gt=0, le=8000)] = 2000.0

    @model_validator(mode="after")
    def _known_source(self) -> Data:
        if self.source not in DATASETS:
            near = difflib.get_close_matches(self.source, DATASETS, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"one of {', '.join(sorted(DATASETS))}"
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
    average: Annotated[float, Field(ge=0, lt=1)] = 0.998
    """Decay, a step, of the running mean of the weights that is validated and kept; 0: none."""
    balance: Share = 0.0
    """Power of the inverse class frequency by which windows are drawn; 0: each once."""
    settle: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of the epochs that pass before weights are worth keeping."""
    patience: Annotated[int, Field(ge=0)] = 0
    """Epochs without a better validation macro-F1 before training stops; 0: never."""


class Network(Table):
    """An architecture of the model zoo and its size."""

    architecture: str
    options: dict[str, float | int | bool | str | tuple[int, ...]] = {}
    """Passed to the architecture's `build`: see ``tinyhar/models``."""
    training: Training = Training()


class Teacher(Network):
    """The network that is too big for the band."""

    architecture: str = "mobilenetv3"
    training: Training = Training(epochs=24)


class Student(Network):
    """The network that goes to the band."""

    architecture: str = "separable"
    training: Training = Training(epochs=50)


class Distillation(Table):
    """How the teacher helps: a method of ``tinyhar/distill``, each after its paper."""

    method: Literal["none", "hinton", "fitnet", "at", "sp", "rkd", "smldist"] = "hinton"
    temperature: Annotated[float, Field(gt=0, le=50)] = 4.0
    """Of method hinton; other methods take theirs from `options`."""
    weight: Share = 0.9
    """Of method hinton: share of the teacher in the loss; the labels have the rest."""
    options: dict[str, bool | float | str | tuple[str, ...]] = {}
    """Passed to the method: weights and switches of its terms, see ``tinyhar/distill``."""
    heads: tuple[Literal["linear", "cosine", "memory", "mlp", "attention"], ...] = ()
    """Classifiers that compete on the student's backbone until one is chosen; none: its own."""


class Augmentation(Table):
    """What a band meets that recordings lack; zero switches a part off."""

    rotation: Annotated[float, Field(ge=0, le=180)] = 25.0
    """Degrees that the band may sit turned, about any axis."""
    noise: Annotated[float, Field(ge=0, le=2)] = 0.05
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.1
    warp: Annotated[float, Field(ge=0, lt=1)] = 0.2


class Pruning(Table):
    """Whole channels are removed (structured), or small weights set to zero (magnitude)."""

    method: Literal["none", "channels", "magnitude"] = "channels"
    share: Annotated[float, Field(gt=0, lt=1)] = 0.25
    """Of the channels (or weights) that go."""
    parameters: Annotated[int, Field(ge=100)] | None = None
    """Instead of a share: channels go until at most so many parameters are left."""
    training: Training = Training(epochs=16, rate=1e-3)

    @model_validator(mode="after")
    def _a_budget_is_for_channels(self) -> Pruning:
        if self.parameters is not None and self.method != "channels":
            raise ValueError(f"'parameters' goes with method 'channels', not '{self.method}'")
        return self


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
    smooth_hold: Annotated[int, Field(ge=1, le=16)] = 1


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
    quantisation: Quantisation = Quantisation()
    band: Band = Band()

    @model_validator(mode="after")
    def _zeros_stay_zero(self) -> Recipe:
        if self.pruning.method == "magnitude" and self.quantisation.method == "qat":
            raise ValueError(
                "pruning.method 'magnitude' goes with quantisation.method 'ptq': "
                "quantisation-aware training would fill the zeros again"
            )
        return self


def load(path: Path | str) -> Recipe:
    """Read a recipe from a file, or a built-in one by its name.

    Raises:
        RecipeError: no such file, not TOML, a key or value that cannot be.
    """
    file = find(path)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{file}: not a TOML file: {error}") from error
    return parse(table, origin=str(file))


def find(path: Path | str) -> Path:
    """The file of a recipe given by path or by the name of a built-in one."""
    file = Path(path)
    if file.is_file():
        return file
    built_in = BUILT_IN / f"{file.name.removesuffix('.toml')}.toml"
    if built_in.is_file() and (file.parent == Path() or file.parent.name == BUILT_IN.name):
        return built_in
    names = ", ".join(sorted(p.stem for p in BUILT_IN.glob("*.toml")))
    raise RecipeError(f"{path}: no such recipe; give a TOML file, or one of: {names}")


def parse(table: dict[str, Any], origin: str = "recipe") -> Recipe:
    """Check a table as read from TOML.

    Raises:
        RecipeError: names the first key at fault, what was expected and what to do.
    """
    try:
        return Recipe.model_validate(table)
    except ValidationError as error:
        raise RecipeError(f"{origin}: {_explain(error)}") from error


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
            "quantisation": shorter(recipe.quantisation, 2),
        }
    )


def to_toml(recipe: Recipe) -> str:
    """The recipe as TOML with every default written out; :func:`parse` reads it back equal."""
    return "\n".join(_toml_lines(recipe.model_dump(mode="json", exclude_none=True))) + "\n"


def _toml_lines(table: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if not isinstance(value, dict):
            yield f"{key} = {_toml_value(value)}"
    for key, value in table.items():
        if isinstance(value, dict):
            yield f"\n[{prefix}{key}]"
            yield from _toml_lines(value, f"{prefix}{key}.")


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    key = _key_of(first)
    # Of a value that may be of several types, the one that it has tells what is wrong with it.
    for other in error.errors():
        if _key_of(other) == key and not other["type"].endswith("_type"):
            first = other
    if first["type"] == "extra_forbidden":
        *tables, wrong = (str(part) for part in first["loc"])
        known = _keys_of(tables)
        near = difflib.get_close_matches(wrong, known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}"
        return f"unknown key '{key}': {hint}"
    if first["type"] == "missing":
        return f"'{key}' is missing: add it"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] in ("model_type", "dict_type"):
        message = f"expected a table: [{key}] and its keys below"
    message = message[0].lower() + message[1:].replace("tuple", "list")
    given = first["input"]
    shown = f" (it is {given!r})" if isinstance(given, str | int | float) else ""
    return f"'{key}': {message}{shown}" if key else message


def _key_of(error: ErrorDetails) -> str:
    return ".".join(str(part) for part in error["loc"] if not _is_union_branch(part))


def _is_union_branch(part: object) -> bool:
    return isinstance(part, str) and (part.startswith("constrained-") or "[" in part)


def _keys_of(tables: list[str]) -> list[str]:
    model: type[BaseModel] = Recipe
    for table in tables:
        annotation = model.model_fields[table].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return list(model.model_fields)
