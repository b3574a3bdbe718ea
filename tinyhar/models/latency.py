"""How long a model takes for one window on this machine: to set a student beside its teacher."""

from __future__ import annotations

import time
from statistics import median

import tensorflow as tf
import tf_keras as keras

WARM_UP = 5
RUNS = 50


def desk_latency(model: keras.Model) -> float:
    """Milliseconds for one window, batch 1, float: the median of RUNS calls of a traced graph.

    What else the machine does shows in it: compare only what was measured side by side.
    """
    window = tf.random.stateless_normal((1, *model.input_shape[1:]), (1, 2))
    infer = tf.function(lambda x: model(x, training=False)).get_concrete_function(window)
    taken = []
    for _ in range(WARM_UP + RUNS):
        started = time.perf_counter()
        infer(window).numpy()
        taken.append(time.perf_counter() - started)
    return 1000 * median(taken[WARM_UP:])
