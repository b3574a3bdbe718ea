"""The tables of a recipe, each with its keys, their defaults and limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tinyhar import settings
from tinyhar.recordings import DATASETS
from tinyhar.settings import Table

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
    borrow: tuple[str, ...] = ()
    """Other positions whose movement trains as if it were the band's own, turned to lie as it does:
    the other wrist."""
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
    def _devices_have_positions(self) -> Data:
        if self.synchronise and self.positions is None:
            raise ValueError("'synchronise' is for several devices: name their 'positions'")
        if self.borrow and (len(self.positions or ()) != 1 or self.axes is not None):
            raise ValueError("'borrow' needs one position in 'positions', and all axes of it")
        if set(self.borrow) & set(self.positions or ()):
            raise ValueError(f"'borrow': '{self.borrow[0]}' is the band's own position")
        return self

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

    @property
    def needs_teacher(self) -> bool:
        """Whether a method asks for one."""
        return any(method != "none" for method in (self.method, *self.also))

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
        if self.budget and self.share != Pruning.model_fields["share"].default:
            raise ValueError(f"'share' and '{next(iter(self.budget))}': give one of them")
        return self


DEVICE_LIMITS = ("flash_bytes", "ram_bytes", "instructions")
"""Limits of a pruning that a device is measured for."""


REVISIONS: dict[str, int] = {"smldist": 4}
"""Raised where a method's losses or defaults change: what came of others is trained again."""


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
