"""How large TensorFlow Lite Micro's arena must be, measured by running the model in it.

The `tflite-micro` package prints its recording allocator's totals to the C library's stderr, and
nowhere else: so that stream is caught for a moment.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from tinyhar.convert.graph import read_graph
from tinyhar.errors import ModelError, ToolError
from tinyhar.terminal import native_output_held_back

_TOTAL: Final = re.compile(r"Arena allocation total (\d+) bytes")


_TAIL: Final = re.compile(r"Arena allocation tail (\d+) bytes")
_PLANNING: Final = (512, 96)
"""What planning takes for a while beside what stays, and more for each activation (as measured on
a 64-bit machine; it matters for models smaller than that)."""
SESSION_BYTES: Final = 2048
"""What firmware/engine/tflm keeps at the arena's front: 1,792 bytes on 64 bits, half on 32."""


def measure_arena(tflite: bytes) -> int:
    """Arena bytes that TFLM needs on this machine, rounded up to 16: give it no less.

    TFLM does not survive an arena that is much too small: it may crash instead of refusing.

    A microcontroller's pointers are half as wide, which leaves room there: on the reference models
    8-20 % less is used on a Cortex-M4, CMSIS-NN's scratch buffers included.

    Raises:
        ModelError: TFLM refuses the model.
        ToolError: the `tflite-micro` package is missing or tells no total.
    """
    try:
        from tflite_micro.python.tflite_micro import runtime
    except ImportError as error:
        raise ToolError(
            "measuring the arena needs the tflite-micro package (Linux x86-64): pip install "
            "tflite-micro"
        ) from error
    graph = read_graph(tflite)
    arena = 10 * len(tflite) + (1 << 20)
    try:
        interpreter = runtime.Interpreter.from_bytes(tflite, arena_size=arena)
        interpreter.set_input(np.zeros(graph.tensors[graph.input].shape, np.int8), 0)
        interpreter.invoke()
    except RuntimeError as error:
        raise ModelError(f"TensorFlow Lite Micro refuses the model: {error}") from error
    with native_output_held_back() as told:
        interpreter.print_allocations()
    total, tail = _TOTAL.search(told.text), _TAIL.search(told.text)
    if total is None or tail is None:
        raise ToolError("this tflite-micro package prints no arena total; install the pinned one")
    planning = _PLANNING[0] + _PLANNING[1] * (len(graph.operators) + 1)
    needed = max(int(total.group(1)), int(tail.group(1)) + planning)
    return -(-needed // 16) * 16


def estimate_arena(compiled_arena_bytes: int) -> int:
    """What to give TFLM where its package cannot be had to measure it.

    Ours: three times the compiled engine's arena and 2 kB lie 8-77 % above what was measured for
    the four reference models and two students. TFLM refuses one that is a little too small.
    """
    return -(-(3 * compiled_arena_bytes + 2048) // 16) * 16


def measure_engine_arena(tflite: bytes) -> int:
    """Arena bytes for the firmware's own `tflm` engine, interpreter and resolver included.

    Raises:
        ModelError: TFLM refuses the model.
        ToolError: the `tflite-micro` package is missing or tells no total.
    """
    return measure_arena(tflite) + SESSION_BYTES
