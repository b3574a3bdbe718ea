"""TensorFlow's start-up chatter, kept off the terminal."""

from __future__ import annotations

from tinyhar.terminal import native_output_held_back


def start_tensorflow() -> None:
    """Import TensorFlow and find its devices, without the lines on oneDNN and missing GPUs."""
    with native_output_held_back():
        import tensorflow as tf

        tf.config.list_logical_devices()
