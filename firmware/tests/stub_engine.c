/* An engine that a test can predict: logit k is the sum of every classes-th input from k on,
 * shifted down by 4 and clamped. Its model is "STUB", input bytes u32, classes u32. Two layers to
 * trace: the input with each bit turned over, which is its embedding, too, and the logits. An input
 * that begins with 127 and 55 and then repeats itself every 3 values crashes it, one with 127 and 54
 * overflows the stack. */
#include <string.h>

#include "tinyhar/bytes.h"
#include "tinyhar/engine.h"

#define HEADER 12

static int8_t logits[255];

thar_engine_status thar_engine_init(thar_engine *e, const uint8_t *model, size_t model_bytes,
                                    uint8_t *arena, size_t arena_bytes) {
  memset(e, 0, sizeof *e);
  if (model_bytes != HEADER || memcmp(model, "STUB", 4) != 0) {
    return THAR_ENGINE_BAD_MODEL;
  }
  e->input_bytes = thar_load_u32(model + 4);
  e->output_bytes = thar_load_u32(model + 8);
  e->arena_used = e->input_bytes;
  e->arena = arena;
  return arena_bytes < e->input_bytes ? THAR_ENGINE_ARENA_TOO_SMALL : THAR_ENGINE_OK;
}

int8_t *thar_engine_input(thar_engine *e) {
  return (int8_t *)e->arena;
}

size_t thar_engine_input_bytes(const thar_engine *e) {
  return e->input_bytes;
}

#ifndef THAR_STUB_TAME
/* As good as; volatile, or the compiler would make a loop of it. */
static uint32_t without_end(volatile uint32_t depth) {
  volatile uint32_t frame[16] = {depth};
  return depth == UINT32_MAX ? 0 : without_end(depth + 1) + frame[depth % 16];
}

static void misbehave(const uint8_t *input) {
  if (input[0] != 127 || memcmp(input + 3, input + 6, 12) != 0) {
    return;
  }
  if (input[1] == 55) {
    __builtin_trap();
  }
  if (input[1] == 54) {
    logits[0] = (int8_t)without_end(0);
  }
}
#endif

thar_engine_status thar_engine_invoke_traced(thar_engine *e, thar_layer_fn fn, void *ctx) {
  int32_t sums[255] = {0};
#ifndef THAR_STUB_TAME
  misbehave(e->arena);
#endif
  for (uint32_t i = 0; i < e->input_bytes; i++) {
    sums[i % e->output_bytes] += (int8_t)e->arena[i];
    e->arena[i] = (uint8_t)~e->arena[i];
  }
  for (uint32_t k = 0; k < e->output_bytes; k++) {
    const int32_t value = sums[k] >= 0 ? sums[k] >> 4 : ~(~sums[k] >> 4);
    logits[k] = (int8_t)(value > 127 ? 127 : value < -128 ? -128 : value);
  }
  if (fn != NULL) {
    fn(ctx, 0, (const int8_t *)e->arena, e->input_bytes);
    fn(ctx, 1, logits, e->output_bytes);
  }
  return THAR_ENGINE_OK;
}

thar_engine_status thar_engine_invoke(thar_engine *e) {
  return thar_engine_invoke_traced(e, NULL, NULL);
}

thar_engine_status thar_engine_invoke_next(thar_engine *e, size_t hop) {
  (void)hop;
  return thar_engine_invoke(e);
}

const int8_t *thar_engine_output(const thar_engine *e) {
  (void)e;
  return logits;
}

size_t thar_engine_output_bytes(const thar_engine *e) {
  return e->output_bytes;
}

const int8_t *thar_engine_embedding(const thar_engine *e, size_t *bytes) {
  *bytes = e->input_bytes;
  return (const int8_t *)e->arena;
}

size_t thar_engine_arena_used(const thar_engine *e) {
  return e->arena_used;
}

const char *thar_engine_name(void) {
  return "compiled";
}
