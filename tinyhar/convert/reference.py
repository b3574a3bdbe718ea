"""The desk's truth: TensorFlow Lite Micro itself, through the `tflite-micro` package.

Where that package has no wheel (anything but Linux x86-64), LiteRT with its reference kernels
stands in; it differs from TFLM by one step on a few windows in a hundred, so `backend` says so.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert.graph import read_graph
from tinyhar.errors import ModelError, ToolError

Int8 = NDArray[np.int8]

TFLM: Final = "tflite-micro"
LITERT: Final = "LiteRT reference kernels (not TFLM: a few windows in a hundred differ by one step)"


class TflmReference:
    """A model in TFLM's interpreter, one window at a time.

    Example:
        logits = TflmReference(tflite).run(windows)  # int8 [n, 1, T, C] -> int8 [n, K]
    """

    def __init__(self, tflite: bytes) -> None:
        """Load a .tflite that `read_graph` accepts.

        Raises:
            ModelError: a model that tinyhar or TFLM refuses.
            ToolError: neither `tflite-micro` nor `ai-edge-litert` is installed.
        """
        self._graph = read_graph(tflite)
        self._tflite = tflite
        self._interpreter, self.backend = _interpreter(tflite)

    def run(self, x: Int8) -> Int8:
        """Windows int8 [n, *input without batch] -> int8 [n, *output without batch].

        Raises:
            ModelError: `x` does not fit the model's input.
        """
        self._check(x)
        shape = self._graph.tensors[self._graph.output].shape[1:]
        out = np.empty((len(x), *shape), np.int8)
        for i, window in enumerate(x):
            out[i] = self._one(window[None])[0]
        return out

    def layers(self, x: Int8) -> dict[int, Int8]:
        """Every operator's output, tensor index -> int8 [n, *shape], as `integer.layers`.

        Raises:
            ToolError: the backend is not TFLM.
        """
        self._check(x)
        if self.backend != TFLM:
            raise ToolError("layers of the reference need the tflite-micro package")
        from tflite_micro.python.tflite_micro import runtime

        keeping = runtime.Interpreter.from_bytes(
            self._tflite,
            arena_size=_arena_guess(self._tflite) + 4 * sum(t.size for t in self._graph.tensors),
            intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
        )
        found: dict[int, list[Int8]] = {o.output: [] for o in self._graph.operators}
        for window in x:
            keeping.set_input(window[None], 0)
            keeping.invoke()
            for index, parts in found.items():
                parts.append(np.array(keeping.GetTensor(index, 0)["tensor_data"]))
        return {
            index: np.concatenate(parts).reshape(len(x), *self._graph.tensors[index].shape[1:])
            for index, parts in found.items()
            if parts
        }

    def _one(self, window: Int8) -> Int8:
        if self.backend == TFLM:
            self._interpreter.set_input(window, 0)
            self._interpreter.invoke()
            return np.asarray(self._interpreter.get_output(0))
        details = self._interpreter.get_input_details()[0]
        self._interpreter.set_tensor(details["index"], window)
        self._interpreter.invoke()
        return np.asarray(
            self._interpreter.get_tensor(self._interpreter.get_output_details()[0]["index"])
        )

    def _check(self, x: Int8) -> None:
        shape = self._graph.tensors[self._graph.input].shape[1:]
        if x.dtype != np.int8 or x.shape[1:] != shape:
            raise ModelError(
                f"windows are {x.dtype}{list(x.shape)}, the model takes int8{['n', *shape]}"
            )


def _arena_guess(tflite: bytes) -> int:
    return 10 * len(tflite) + (1 << 20)


def _interpreter(tflite: bytes) -> tuple[Any, str]:
    try:
        from tflite_micro.python.tflite_micro import runtime
    except ImportError:
        return _litert(tflite), LITERT
    try:
        return runtime.Interpreter.from_bytes(tflite, arena_size=_arena_guess(tflite)), TFLM
    except RuntimeError as error:
        raise ModelError(f"TensorFlow Lite Micro refuses the model: {error}") from error


def _litert(tflite: bytes) -> Any:
    try:
        from ai_edge_litert import interpreter
    except ImportError as error:
        raise ToolError("no interpreter: install tflite-micro or ai-edge-litert") from error
    loaded = interpreter.Interpreter(
        model_content=tflite,
        experimental_op_resolver_type=interpreter.OpResolverType.BUILTIN_REF,
    )
    loaded.allocate_tensors()
    return loaded
