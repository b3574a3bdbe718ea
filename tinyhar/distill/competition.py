"""Competitive training of classifiers: all share a backbone, one is chosen (arXiv 2107.07331).

P = sum_i softmax(a)_i softmax(g_i), a learned from 0 along with everything else; the head with the
largest a stays, the others are dropped, and the student is fine-tuned briefly. The competing model
puts out log P, and softmax(log P) = P: so it trains by any method, as any model does.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tf_keras as keras

from tinyhar.distill.heads import HEADS, Cosine
from tinyhar.errors import ModelError

_BACKBONE_ENDS = ("pool", "flat", "logits")


@keras.saving.register_keras_serializable(package="tinyhar")
class Mixture(keras.layers.Layer):
    """log sum_i softmax(a)_i softmax(g_i) of a list of logits [batch, classes]."""

    def __init__(self, kinds: Sequence[str], **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.kinds = tuple(kinds)

    def build(self, shape: object) -> None:
        """a, from 0 (called a bias: weight decay would pull the heads together)."""
        self.strength = self.add_weight("bias", (len(self.kinds),), initializer="zeros")
        super().build(shape)

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        """[batch, classes]."""
        heads = tf.stack([tf.nn.log_softmax(one) for one in inputs])
        shares = tf.nn.log_softmax(self.strength)[:, None, None]
        return tf.reduce_logsumexp(shares + heads, axis=0)

    def get_config(self) -> dict[str, object]:
        """The heads' kinds."""
        return {**super().get_config(), "kinds": list(self.kinds)}


def check_heads(kinds: Sequence[str]) -> None:
    """ModelError unless these are two or more different kinds, one of them fit for a band."""
    for kind in kinds:
        if kind not in HEADS:
            raise ModelError(f"head {kind!r}: expected some of {', '.join(HEADS)}")
    if len(set(kinds)) < max(2, len(kinds)) or not any(HEADS[k].deployable for k in kinds):
        fit = ", ".join(kind for kind, head in HEADS.items() if head.deployable)
        raise ModelError(
            f"heads {', '.join(kinds)}: expected two or more different ones, among them at least "
            f"one of {fit}"
        )


def compete(model: keras.Model, kinds: Sequence[str], *, seed: int) -> keras.Model:
    """The backbone of `model` with these heads in place of its own; the layers are shared.

    Args:
        model: ends in the layers "pool", "flat", "logits", as this package's students do.
        kinds: of `HEADS`, two or more.
        seed: of the heads' weights.

    Raises:
        ModelError: an unknown or lonely head, or a model of another end.
    """
    check_heads(kinds)
    over_time, pooled = _ends(model)
    classes = int(model.output_shape[-1])
    keras.utils.set_random_seed(seed)
    heads = [
        HEADS[kind].build(over_time, pooled, classes, kind, f"{kind}_logits") for kind in kinds
    ]
    return keras.Model(model.input, Mixture(kinds, name="logits")(heads), name=model.name)


def shares(model: keras.Model) -> dict[str, float]:
    """softmax(a) by kind of head."""
    mixture = _mixture(model)
    values = tf.nn.softmax(mixture.strength).numpy()
    return {kind: float(value) for kind, value in zip(mixture.kinds, values, strict=True)}


def choose(model: keras.Model, *, deployable: bool = True) -> keras.Model:
    """The student with the head of the largest share; see `alone`.

    With `deployable`, heads that no band can run are passed over.
    """
    ranked = sorted(shares(model).items(), key=lambda item: -item[1])
    winner = next(kind for kind, _ in ranked if HEADS[kind].deployable or not deployable)
    return alone(model, winner)


def alone(model: keras.Model, kind: str) -> keras.Model:
    """An ordinary model of the backbone and one of its heads, weights and all.

    A cosine head becomes a linear layer without bias: its logits gain the factor |f| and choose
    the same class.
    """
    if kind not in _mixture(model).kinds:
        raise ModelError(f"model {model.name!r} has no head {kind!r}: {', '.join(shares(model))}")
    over_time, pooled = _ends(model)
    last = model.get_layer(f"{kind}_logits")
    if isinstance(last, Cosine):
        logits = keras.layers.Dense(last.units, use_bias=False, name="logits")(pooled)
        values = {"logits": [last.prototypes().numpy()]}
    else:
        classes = int(model.output_shape[-1])
        logits = HEADS[kind].build(over_time, pooled, classes, kind, "logits")
        values = {"logits": last.get_weights()}
    chosen = keras.Model(model.input, logits, name=model.name)
    before = {layer.name: layer.get_weights() for layer in model.layers} | values
    apart = keras.models.clone_model(chosen)
    for layer in apart.layers:
        layer.set_weights(before[layer.name])
    return apart


def _mixture(model: keras.Model) -> Mixture:
    last = model.layers[-1]
    if not isinstance(last, Mixture):
        raise ModelError(f"model {model.name!r}: no heads compete in it")
    return last


def _ends(model: keras.Model) -> tuple[tf.Tensor, tf.Tensor]:
    """The backbone's features over time [batch, 1, time, d], and pooled [batch, d]."""
    names = {layer.name for layer in model.layers}
    for name in _BACKBONE_ENDS:
        if name not in names:
            raise ModelError(
                f"model {model.name!r} has no layer {name!r}: heads compete on a backbone that "
                f"ends in {', '.join(_BACKBONE_ENDS)}; leave the heads out or change the student"
            )
    return model.get_layer("pool").input, model.get_layer("flat").output
