"""A model once more, for whoever must not touch the original."""

import tf_keras as keras


def duplicate(model: keras.Model) -> keras.Model:
    """The same architecture and weights, with layers of its own (not compiled)."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy
