/*
 * One model on the band: int8 in, int8 out, in memory that the caller owns.
 *
 * Two engines implement this header and an image links exactly one of them: `compiled` (our plan
 * and kernels) and `tflm` (TensorFlow Lite Micro behind the same face). Both give the same bytes.
 */
#ifndef TINYHAR_ENGINE_H
#define TINYHAR_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  THAR_ENGINE_OK = 0,
  THAR_ENGINE_BAD_MODEL,       /* not a model of this engine, damaged, or misaligned */
  THAR_ENGINE_BAD_VERSION,     /* a model that another version of the converter wrote */
  THAR_ENGINE_ARENA_TOO_SMALL, /* the arena given cannot hold the model's tensors */
  THAR_ENGINE_UNSUPPORTED      /* an operator or a request that this engine does not know */
} thar_engine_status;

/* Static storage by the caller; its fields are the engine's business. */
typedef struct {
  const uint8_t *model;
  uint8_t *arena;
  void *interpreter; /* tflm only */
  uint32_t arena_used;
  uint32_t input_offset;
  uint32_t input_bytes;
  uint32_t output_offset;
  uint32_t output_bytes;
} thar_engine;

/* Called after every layer with that layer's int8 output in NHWC order; layers count from 0. */
typedef void (*thar_layer_fn)(void *ctx, uint16_t layer, const int8_t *data, size_t bytes);

/*
 * Checks every offset and size in `model` once, so that an invoke needs no checks. `model` must be
 * 16-aligned, stay readable and unchanged; `arena` must be 16-aligned and belong to this engine
 * alone. On any status but OK the engine must not be used.
 */
thar_engine_status thar_engine_init(thar_engine *e, const uint8_t *model, size_t model_bytes,
                                    uint8_t *arena, size_t arena_bytes);

/* Valid after init; what is written there need not survive an invoke. */
int8_t *thar_engine_input(thar_engine *e);
size_t thar_engine_input_bytes(const thar_engine *e);

thar_engine_status thar_engine_invoke(thar_engine *e);

/* As invoke, and with the same bytes, where the input is the window that begins `hop` samples after
 * the one that was invoked last: a model that keeps its first layers' outputs (plan.h) computes only
 * what is new; any other runs whole. */
thar_engine_status thar_engine_invoke_next(thar_engine *e, size_t hop);

/* As invoke, and reports every layer; UNSUPPORTED from an engine that cannot look inside. */
thar_engine_status thar_engine_invoke_traced(thar_engine *e, thar_layer_fn fn, void *ctx);

/* Valid after an invoke, until the input is written or the next invoke. */
const int8_t *thar_engine_output(const thar_engine *e);
size_t thar_engine_output_bytes(const thar_engine *e);

/* What the last layer read, where that layer is a linear classifier whose input the engine can show;
 * else NULL, and 0 bytes. Valid like the output. */
const int8_t *thar_engine_embedding(const thar_engine *e, size_t *bytes);

size_t thar_engine_arena_used(const thar_engine *e);

/* "compiled" or "tflm". */
const char *thar_engine_name(void);

#ifdef __cplusplus
}
#endif

#endif
