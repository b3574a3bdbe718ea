"""TensorFlow's start-up chatter, kept off the terminal."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def start_tensorflow() -> None:
    """Import TensorFlow and find its devices, without the lines on oneDNN and missing GPUs."""
    with _stderr_hidden():
        import tensorflow as tf

        tf.config.list_logical_devices()


@contextmanager
def _stderr_hidden() -> Iterator[None]:
    """Hides what native code writes to the terminal; shows it after all when something fails."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        try:
            yield
        except BaseException:
            hidden.seek(0)
            os.write(terminal, hidden.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
