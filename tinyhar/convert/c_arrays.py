"""A model, its settings and its proof as C and C++ sources for somebody's own firmware."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert.bundle import Bundle
from tinyhar.convert.graph import Graph

_PER_LINE: Final = 16

_ADDERS: Final = {
    "CONV_2D": ("AddConv2D", "Register_CONV_2D_INT8", "conv.h"),
    "DEPTHWISE_CONV_2D": (
        "AddDepthwiseConv2D",
        "Register_DEPTHWISE_CONV_2D_INT8",
        "depthwise_conv.h",
    ),
    "FULLY_CONNECTED": ("AddFullyConnected", "Register_FULLY_CONNECTED_INT8", "fully_connected.h"),
    "MEAN": ("AddMean", "", ""),
    "MAX_POOL_2D": ("AddMaxPool2D", "Register_MAX_POOL_2D_INT8", "pooling.h"),
    "AVERAGE_POOL_2D": ("AddAveragePool2D", "Register_AVERAGE_POOL_2D_INT8", "pooling.h"),
    "ADD": ("AddAdd", "Register_ADD_INT8", "add.h"),
    "RESHAPE": ("AddReshape", "", ""),
    "SOFTMAX": ("AddSoftmax", "Register_SOFTMAX_INT8", "softmax.h"),
    "MUL": ("AddMul", "Register_MUL_INT8", "mul.h"),
    "PAD": ("AddPad", "", ""),
    "PADV2": ("AddPadV2", "", ""),
    "CONCATENATION": ("AddConcatenation", "", ""),
    "REDUCE_MAX": ("AddReduceMax", "", ""),
    "HARD_SWISH": ("AddHardSwish", "", ""),
    "LOGISTIC": ("AddLogistic", "", ""),
    "TANH": ("AddTanh", "", ""),
    "RELU": ("AddRelu", "", ""),
    "RELU6": ("AddRelu6", "", ""),
    "LEAKY_RELU": ("AddLeakyRelu", "", ""),
    "QUANTIZE": ("AddQuantize", "", ""),
    "MINIMUM": ("AddMinimum", "", ""),
    "MAXIMUM": ("AddMaximum", "", ""),
}


def c_string(text: str) -> str:
    """`text` as a C string literal; bytes outside ASCII as octal escapes."""
    out = []
    for byte in text.encode():
        char = chr(byte)
        if char in '"\\?':
            out.append("\\" + char)
        elif 32 <= byte < 127:
            out.append(char)
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


def numbers(values: NDArray[np.integer] | bytes) -> str:
    """Comma-separated values, sixteen a line, indented."""
    flat = list(values) if isinstance(values, bytes) else np.asarray(values).reshape(-1).tolist()
    lines = (flat[i : i + _PER_LINE] for i in range(0, len(flat), _PER_LINE))
    return ",\n".join("    " + ", ".join(str(v) for v in line) for line in lines)


def _header(name: str, body: str) -> str:
    guard = "TINYHAR_" + re.sub(r"\W", "_", name).upper()
    return f"#ifndef {guard}\n#define {guard}\n\n{body}\n#endif\n"


def model_data(tflite: bytes) -> dict[str, str]:
    """`model_data.h` and `model_data.cc`: the .tflite as an array that TFLM can map as it is."""
    header = _header(
        "model_data.h",
        "/* The .tflite, 16-aligned as its flatbuffer wants. */\n"
        "extern const unsigned char g_model_data[];\nextern const unsigned int g_model_data_len;\n",
    )
    source = (
        '#include "model_data.h"\n\n'
        f"alignas(16) const unsigned char g_model_data[] = {{\n{numbers(tflite)}}};\n"
        f"const unsigned int g_model_data_len = {len(tflite)};\n"
    )
    return {"model_data.h": header, "model_data.cc": source}


def compiled_model(payload: bytes, arena_bytes: int) -> dict[str, str]:
    """`compiled_model.h` and `.c`: the compiled engine's model, and what it needs to run."""
    header = _header(
        "compiled_model.h",
        "#include <stdint.h>\n\n"
        "/* For thar_engine_init; the arena must be 16-aligned. */\n"
        f"#define TINYHAR_COMPILED_MODEL_BYTES {len(payload)}\n"
        f"#define TINYHAR_COMPILED_ARENA_BYTES {arena_bytes}\n\n"
        "extern const uint8_t tinyhar_compiled_model[TINYHAR_COMPILED_MODEL_BYTES];\n",
    )
    source = (
        '#include "compiled_model.h"\n\n'
        "_Alignas(16) const uint8_t tinyhar_compiled_model[TINYHAR_COMPILED_MODEL_BYTES] = {\n"
        f"{numbers(payload)}}};\n"
    )
    return {"compiled_model.h": header, "compiled_model.c": source}


def model_settings(bundle: Bundle, arena_bytes: int, how: str) -> dict[str, str]:
    """`model_settings.h` and `.c`: labels, window, rate, count maps, arena.

    Args:
        bundle: where the settings come from.
        arena_bytes: TFLM's arena.
        how: they were found, in words.
    """
    channels, classes = len(bundle.channels), len(bundle.classes)
    header = _header(
        "model_settings.h",
        "#include <stdint.h>\n\n"
        f"#define TINYHAR_WINDOW {bundle.window} /* samples a window */\n"
        f"#define TINYHAR_STRIDE {bundle.stride} /* samples from window to window */\n"
        f"#define TINYHAR_RATE_MILLIHERTZ {round(bundle.rate * 1000)}\n"
        f"#define TINYHAR_CHANNELS {channels}\n"
        f"#define TINYHAR_CLASSES {classes}\n"
        f"#define TINYHAR_SMOOTH_LENGTH {bundle.smoothing.length}\n"
        f"#define TINYHAR_SMOOTH_HOLD {bundle.smoothing.hold}\n"
        f"/* TensorFlow Lite Micro's arena, {how}. */\n"
        f"#define TINYHAR_TFLM_ARENA_BYTES {arena_bytes}\n\n"
        "extern const char *const tinyhar_class_names[TINYHAR_CLASSES];\n"
        "extern const char *const tinyhar_channel_names[TINYHAR_CHANNELS];\n"
        "/* What one count is worth, in the channel's unit. */\n"
        "extern const char *const tinyhar_channel_units[TINYHAR_CHANNELS];\n"
        "extern const double tinyhar_lsb[TINYHAR_CHANNELS];\n\n"
        "/* From a sensor count to the model's int8 input. */\n"
        "typedef struct {\n    int16_t multiplier;\n    uint8_t shift;\n    int32_t offset;\n"
        "} tinyhar_count_map;\n"
        "extern const tinyhar_count_map tinyhar_count_maps[TINYHAR_CHANNELS];\n\n"
        "static inline int8_t tinyhar_int8_of_count(int channel, int16_t count) {\n"
        "    const tinyhar_count_map *map = &tinyhar_count_maps[channel];\n"
        "    int32_t value = ((int32_t)count * map->multiplier + map->offset) >> map->shift;\n"
        "    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);\n}\n",
    )
    return {"model_settings.h": header, "model_settings.c": _settings_source(bundle)}


def _settings_source(bundle: Bundle) -> str:
    def names(name: str, size: str, values: tuple[str, ...]) -> str:
        rows = "\n".join(f"    {c_string(v)}," for v in values)
        return f"const char *const {name}[{size}] = {{\n{rows}\n}};\n"

    m = bundle.count_map
    maps = "\n".join(
        f"    {{{int(m.multiplier[c])}, {int(m.shift[c])}, {int(m.offset[c])}}},"
        for c in range(len(bundle.channels))
    )
    lsb = ", ".join(repr(float(v)) for v in bundle.lsb)
    return (
        '#include "model_settings.h"\n\n'
        + names("tinyhar_class_names", "TINYHAR_CLASSES", bundle.classes)
        + names("tinyhar_channel_names", "TINYHAR_CHANNELS", bundle.channels)
        + names("tinyhar_channel_units", "TINYHAR_CHANNELS", bundle.units)
        + f"const double tinyhar_lsb[TINYHAR_CHANNELS] = {{{lsb}}};\n"
        f"const tinyhar_count_map tinyhar_count_maps[TINYHAR_CHANNELS] = {{\n{maps}\n}};\n"
    )


def operators_of(graph: Graph) -> tuple[str, ...]:
    """The kinds of operators that the model uses, each once, in order of first use."""
    return tuple(dict.fromkeys(operator.kind for operator in graph.operators))


def resolver(graph: Graph) -> dict[str, str]:
    """`model_ops.h`: a TFLM resolver with just the operators that the model uses."""
    used = operators_of(graph)
    headers = sorted({_ADDERS[kind][2] for kind in used} - {""})
    includes = "".join(f'#include "tensorflow/lite/micro/kernels/{h}"\n' for h in headers)
    lines = []
    for kind in used:
        adder, register, _ = _ADDERS[kind]
        call = f"tflite::{register}()" if register else ""
        lines.append(f"  TF_LITE_ENSURE_STATUS(resolver.{adder}({call}));\n")
    body = (
        '#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"\n'
        f"{includes}\n"
        "namespace tinyhar {\n\n"
        f"using ModelOps = tflite::MicroMutableOpResolver<{len(used)}>;\n\n"
        "// int8-only kernels: with CMSIS-NN they save 17-35 kB of flash; without, they are the\n"
        "// common ones.\n"
        "inline TfLiteStatus RegisterModelOps(ModelOps& resolver) {\n"
        f"{''.join(lines)}  return kTfLiteOk;\n}}\n\n}}  // namespace tinyhar\n"
    )
    return {"model_ops.h": _header("model_ops.h", body)}


def golden_vectors(
    counts: NDArray[np.int16], inputs: NDArray[np.int8], logits: NDArray[np.int8]
) -> dict[str, str]:
    """`golden_vectors.h` and `.c`: windows and the logits that every engine must give for them.

    Args:
        counts: int16 [golden, window, channel], what the sensor delivers.
        inputs: int8, the same windows after the count map.
        logits: int8 [golden, class].
    """
    header = _header(
        "golden_vectors.h",
        "#include <stdint.h>\n\n"
        f"#define TINYHAR_GOLDEN {len(counts)}\n"
        f"#define TINYHAR_GOLDEN_VALUES {counts[0].size if len(counts) else 0}\n"
        f"#define TINYHAR_GOLDEN_LOGITS {logits.shape[1]}\n\n"
        "/* Counts as the sensor delivers them, time-major; the model's int8 input for them; and\n"
        " * the logits that every engine must give, byte for byte. */\n"
        "extern const int16_t tinyhar_golden_counts[TINYHAR_GOLDEN][TINYHAR_GOLDEN_VALUES];\n"
        "extern const int8_t tinyhar_golden_inputs[TINYHAR_GOLDEN][TINYHAR_GOLDEN_VALUES];\n"
        "extern const int8_t tinyhar_golden_logits[TINYHAR_GOLDEN][TINYHAR_GOLDEN_LOGITS];\n",
    )

    def table(kind: str, name: str, columns: str, rows: NDArray[np.integer]) -> str:
        text = ",\n".join(f"  {{\n{numbers(row)}}}" for row in rows)
        return f"const {kind} {name}[TINYHAR_GOLDEN][{columns}] = {{\n{text}}};\n"

    source = (
        '#include "golden_vectors.h"\n\n'
        + table("int16_t", "tinyhar_golden_counts", "TINYHAR_GOLDEN_VALUES", counts)
        + table("int8_t", "tinyhar_golden_inputs", "TINYHAR_GOLDEN_VALUES", inputs)
        + table("int8_t", "tinyhar_golden_logits", "TINYHAR_GOLDEN_LOGITS", logits)
    )
    return {"golden_vectors.h": header, "golden_vectors.c": source}
