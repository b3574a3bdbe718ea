"""Texts that travel with an exported model: two programs that prove it, and how to use them."""

from __future__ import annotations

from typing import Final

COMPILED_EXAMPLE: Final = """\
/*
 * Runs the golden vectors through the compiled engine; exit status 0 means every byte agrees.
 * README.txt tells how to build it.
 */
#include <stdio.h>
#include <string.h>

#include "compiled_model.h"
#include "golden_vectors.h"
#include "model_settings.h"
#include "tinyhar/engine.h"

static _Alignas(16) uint8_t arena[TINYHAR_COMPILED_ARENA_BYTES];

int main(void) {
    thar_engine engine;
    if (thar_engine_init(&engine, tinyhar_compiled_model, sizeof tinyhar_compiled_model, arena,
                         sizeof arena) != THAR_ENGINE_OK) {
        puts("the engine refuses the model");
        return 2;
    }
    int different = 0;
    for (int g = 0; g < TINYHAR_GOLDEN; ++g) {
        int8_t *input = thar_engine_input(&engine);
        for (int i = 0; i < TINYHAR_GOLDEN_VALUES; ++i) {
            input[i] = tinyhar_int8_of_count(i % TINYHAR_CHANNELS, tinyhar_golden_counts[g][i]);
        }
        if (memcmp(input, tinyhar_golden_inputs[g], TINYHAR_GOLDEN_VALUES) != 0) ++different;
        thar_engine_invoke(&engine);
        const int8_t *logits = thar_engine_output(&engine);
        int best = 0;
        for (int k = 0; k < TINYHAR_CLASSES; ++k) {
            if (logits[k] != tinyhar_golden_logits[g][k]) ++different;
            if (logits[k] > logits[best]) best = k;
        }
        printf("window %d: %s\\n", g, tinyhar_class_names[best]);
    }
    printf("%d windows, %d differences\\n", TINYHAR_GOLDEN, different);
    return different != 0;
}
"""

TFLM_EXAMPLE: Final = """\
// Runs the golden vectors through TensorFlow Lite Micro; RunGolden() returns how many bytes differ.
#include <cstdint>

#include "golden_vectors.h"
#include "model_data.h"
#include "model_ops.h"
#include "model_settings.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {
alignas(16) uint8_t arena[TINYHAR_TFLM_ARENA_BYTES];
}  // namespace

int RunGolden() {
  tinyhar::ModelOps ops;
  if (tinyhar::RegisterModelOps(ops) != kTfLiteOk) return -1;
  tflite::MicroInterpreter interpreter(tflite::GetModel(g_model_data), ops, arena, sizeof arena);
  if (interpreter.AllocateTensors() != kTfLiteOk) return -1;
  int different = 0;
  for (int g = 0; g < TINYHAR_GOLDEN; ++g) {
    int8_t* input = interpreter.input(0)->data.int8;
    for (int i = 0; i < TINYHAR_GOLDEN_VALUES; ++i) {
      input[i] = tinyhar_int8_of_count(i % TINYHAR_CHANNELS, tinyhar_golden_counts[g][i]);
    }
    if (interpreter.Invoke() != kTfLiteOk) return -1;
    const int8_t* logits = interpreter.output(0)->data.int8;
    for (int k = 0; k < TINYHAR_CLASSES; ++k) {
      if (logits[k] != tinyhar_golden_logits[g][k]) ++different;
    }
  }
  return different;
}
"""

README: Final = """\
A model for a wrist band, exported by tinyhar
=============================================

{classes} classes from {channels} channels at {rate:g} Hz; a window of {window} samples every
{stride}. Classes, in the order of the logits: {class_names}.

Choose ONE engine. Both give the same bytes.

  compiled   compiled_model.c/.h and the folder compiled/ (plain C11, no heap, no library; the
             kernels of this model alone)
             {payload} bytes of model, {compiled_arena} bytes of working memory
  tflm       model_data.cc/.h and model_ops.h, with TensorFlow Lite Micro from your board's
             packages: {tflite} bytes of model, an arena of
             {tflm_arena}

With either
  model_settings.h/.c   labels, window, rate, and tinyhar_int8_of_count(): from the count that your
                        IMU delivers to the model's input. It must be set to the full scale that
                        the counts were made for: see tinyhar_lsb, what one count is worth.
  golden_vectors.h/.c   {golden} windows and the logits that must come out. Run them once on your
                        board; leave them out of the product.
  model.thb             the same as one file, for a band that runs tinyhar's firmware
  model.tflite          what all of this was made from

Channels, in the order of the input (time-major: all channels of a sample together):
{channel_lines}

To try it on this computer
  cc -std=c11 -O2 -Icompiled -o example example_compiled.c compiled_model.c model_settings.c \\
     golden_vectors.c compiled/*.c && ./example

In your own loop: collect {window} samples, turn each count into the input with
tinyhar_int8_of_count(channel, count), call thar_engine_invoke() (or the interpreter's Invoke()),
take the class with the largest logit. example_compiled.c and example_tflm.cc show it whole.
"""
