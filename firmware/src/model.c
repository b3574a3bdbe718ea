#include "tinyhar/model.h"

#include <string.h>

#include "tinyhar/config.h"
#include "tinyhar/messages.h"

static void fail(thar_model *m, uint8_t code, const char *problem, const char *field) {
  m->code = code;
  m->problem = problem;
  m->field = field;
}

static bool is_aligned(const uint8_t *bytes) {
  return (uintptr_t)bytes % THAR_BUNDLE_ALIGN == 0;
}

const char *thar_model_misfit(const thar_bundle_header *h, size_t arena_bytes) {
  if (h->engine != thar_model_engine()) {
    return "engine";
  }
  if (h->classes > THAR_MAX_CLASSES) {
    return "classes";
  }
  if ((uint32_t)h->window * h->channels > THAR_MAX_WINDOW_VALUES) {
    return "window";
  }
  if (h->smooth_length > THAR_MAX_SMOOTH_LENGTH) {
    return "smooth_length";
  }
  return h->arena_bytes > arena_bytes ? "arena_bytes" : NULL;
}

uint8_t thar_model_misfit_code(const thar_bundle_header *h) {
  return h->engine != thar_model_engine() ? THAR_ERR_OTHER_ENGINE : THAR_ERR_NO_ROOM;
}

static const char *engine_problem(thar_engine_status status) {
  switch (status) {
    case THAR_ENGINE_OK:
      return NULL;
    case THAR_ENGINE_BAD_VERSION:
      return "the model is of another converter version";
    case THAR_ENGINE_ARENA_TOO_SMALL:
      return "the arena is too small for the model";
    case THAR_ENGINE_UNSUPPORTED:
      return "the model has an operator that the engine lacks";
    case THAR_ENGINE_BAD_MODEL:
    default:
      return "the engine does not take the model";
  }
}

static void count_layer(void *ctx, uint16_t layer, const int8_t *data, size_t bytes) {
  uint16_t *layers = ctx;
  (void)data;
  (void)bytes;
  *layers = (uint16_t)(layer + 1);
}

/* By running it once; an engine tells its layers in no other way. */
static uint8_t count_layers(thar_engine *engine) {
  uint16_t layers = 0;
  memset(thar_engine_input(engine), 0, thar_engine_input_bytes(engine));
  if (thar_engine_invoke_traced(engine, count_layer, &layers) != THAR_ENGINE_OK) {
    return 0;
  }
  return layers < UINT8_MAX ? (uint8_t)layers : 0;
}

void thar_model_load(thar_model *m, const uint8_t *bytes, size_t size, uint8_t *arena,
                     size_t arena_bytes) {
  memset(m, 0, sizeof *m);
  m->bytes = bytes;
  if (bytes == NULL || size == 0) {
    fail(m, THAR_ERR_NO_MODEL, "no bundle", NULL);
    return;
  }
  if (!is_aligned(bytes) || !is_aligned(arena)) {
    fail(m, THAR_ERR_NO_ROOM, "bundle or arena is not 16-aligned", NULL);
    return;
  }
  const char *wrong = thar_bundle_open(&m->bundle, bytes, size);
  if (wrong != NULL) {
    fail(m, THAR_ERR_DAMAGED, "the bundle is damaged or not one", wrong);
    return;
  }
  const thar_bundle_header *h = &m->bundle.header;
  wrong = thar_model_misfit(h, arena_bytes);
  if (wrong != NULL) {
    fail(m, thar_model_misfit_code(h), "the bundle does not fit this firmware", wrong);
    return;
  }
  wrong = engine_problem(
      thar_engine_init(&m->engine, m->bundle.model, h->model_bytes, arena, arena_bytes));
  if (wrong != NULL) {
    fail(m, THAR_ERR_TRIAL_FAILED, wrong, NULL);
    return;
  }
  if (thar_engine_input_bytes(&m->engine) != thar_model_window_values(m) ||
      thar_engine_output_bytes(&m->engine) != h->classes) {
    fail(m, THAR_ERR_TRIAL_FAILED, "the model's input or output is not the bundle's", NULL);
    return;
  }
  m->layers = count_layers(&m->engine);
}

bool thar_model_answers_golden(thar_model *m, uint8_t index) {
  const thar_bundle_header *h = &m->bundle.header;
  thar_count_map_apply(&m->bundle.count_map, thar_bundle_golden_counts(&m->bundle, index),
                       h->window, thar_engine_input(&m->engine));
  return thar_engine_invoke(&m->engine) == THAR_ENGINE_OK &&
         memcmp(thar_engine_output(&m->engine), thar_bundle_golden_logits(&m->bundle, index),
                h->classes) == 0;
}

uint8_t thar_model_try(thar_model *m) {
  for (uint8_t i = 0; i < m->bundle.header.golden; i++) {
    if (!thar_model_answers_golden(m, i)) {
      return i;
    }
  }
  return m->bundle.header.golden != 0 ? THAR_NONE : 0;
}

size_t thar_model_window_values(const thar_model *m) {
  return (size_t)m->bundle.header.window * m->bundle.header.channels;
}

uint8_t thar_model_engine(void) {
  const bool tflm = thar_engine_name()[0] == 't';
  return tflm ? THAR_ENGINE_KIND_TFLM : THAR_ENGINE_KIND_COMPILED;
}
