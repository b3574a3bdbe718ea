/* Windows that the host cut: INFER, TRACE, SELFTEST. */
#include <string.h>

#include "answers.h"
#include "tinyhar/checksum.h"
#include "tinyhar/port.h"

thar_refusal thar_infer_counted(thar_band *band, uint16_t hop, uint32_t *ticks) {
  const uint32_t start = thar_port_ticks();
  thar_engine *engine = &band->model.engine;
  if ((hop != 0 ? thar_engine_invoke_next(engine, hop) : thar_engine_invoke(engine)) !=
      THAR_ENGINE_OK) {
    return thar_refuse(THAR_ERR_ENGINE, "the engine failed");
  }
  band->logits = thar_learner_logits(&band->learner, &band->model);
  *ticks += thar_port_ticks() - start;
  thar_band_stats *s = &band->stats;
  s->ticks_min = s->windows == 0 || *ticks < s->ticks_min ? *ticks : s->ticks_min;
  s->ticks_max = *ticks > s->ticks_max ? *ticks : s->ticks_max;
  s->ticks_sum += *ticks;
  s->windows++;
  return THAR_DONE;
}

/* ---- INFER ---- */

static thar_refusal load(thar_band *band, uint16_t first_sample, const thar_reader *body) {
  const thar_bundle_header *h = &band->model.bundle.header;
  const size_t samples = thar_samples_left(band, body);
  if (samples == 0) {
    return thar_refuse(THAR_ERR_BAD_LENGTH, "infer: not whole samples");
  }
  if (first_sample != 0 && (first_sample != band->loaded || band->has_window)) {
    return thar_refuse(THAR_ERR_OUT_OF_ORDER, "infer: the window must come in order, from 0");
  }
  if (samples > (size_t)h->window - first_sample) {
    return thar_refuse(THAR_ERR_BAD_VALUE, "infer: more samples than a window has");
  }
  if (first_sample == 0) {
    band->load_ticks = 0;
    band->has_window = false;
  }
  const uint32_t start = thar_port_ticks();
  thar_count_map_apply(&band->model.bundle.count_map, body->data + body->at, samples,
                       band->window + (size_t)first_sample * h->channels);
  band->load_ticks += thar_port_ticks() - start;
  band->loaded = (uint16_t)(first_sample + samples);
  band->has_window = band->loaded == h->window;
  return THAR_DONE;
}

static void put_window_into_engine(thar_band *band) {
  band->streamed = false;
  memcpy(thar_engine_input(&band->model.engine), band->window,
         thar_model_window_values(&band->model));
}

thar_refusal thar_answer_infer(thar_band *band, thar_reader *body) {
  thar_refusal no = thar_expect_model(band);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  const thar_infer_request q = thar_get_infer_request(body);
  no = load(band, q.first_sample, body);
  thar_infer_result result = {band->load_ticks, 0};
  if (no.code == THAR_ERR_NONE && band->has_window) {
    put_window_into_engine(band);
    no = thar_infer_counted(band, 0, &result.ticks);
  }
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  const thar_infer_response r = {band->has_window};
  thar_writer out = thar_open_response(band);
  thar_put_infer_response(&out, &r);
  if (band->has_window) {
    const uint8_t classes = thar_learner_classes(&band->learner, &band->model);
    result.class_index = thar_argmax(band->logits, classes);
    thar_put_infer_result(&out, &result);
    thar_put_bytes(&out, band->logits, classes);
  }
  return thar_send_response(band, &out);
}

/* ---- TRACE ---- */

typedef struct {
  thar_writer *out;
  uint8_t layer;    /* whose channels are asked for; 0 is the input */
  uint8_t channels; /* 0: every layer as a whole */
  uint16_t put;     /* CRCs so far */
} tracer;

static void put_crc(tracer *t, uint32_t crc) {
  thar_put_u32(t->out, crc);
  t->put++;
}

static uint32_t crc_of_channel(const int8_t *data, size_t size, size_t channel, size_t channels) {
  uint32_t crc = 0;
  for (size_t i = channel; i < size; i += channels) {
    crc = thar_crc32(crc, (const uint8_t *)data + i, 1);
  }
  return crc;
}

static void put_layer(tracer *t, size_t layer, const int8_t *data, size_t size) {
  if (t->channels == 0) {
    put_crc(t, thar_crc32(0, (const uint8_t *)data, size));
  } else if (layer == t->layer && size % t->channels == 0) {
    for (size_t channel = 0; channel < t->channels; channel++) {
      put_crc(t, crc_of_channel(data, size, channel, t->channels));
    }
  }
}

/* The engine counts its layers from 0, the wire from the input. */
static void on_layer(void *ctx, uint16_t layer, const int8_t *data, size_t bytes) {
  put_layer(ctx, (size_t)layer + 1, data, bytes);
}

static thar_refusal expect_trace(const thar_band *band, const tracer *t) {
  const thar_refusal no = thar_expect_model(band);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  if (band->model.layers == 0) {
    return thar_refuse(THAR_ERR_UNSUPPORTED, "trace: this engine cannot look inside");
  }
  if (!band->has_window) {
    return thar_refuse(THAR_ERR_BAD_VALUE, "trace: no whole window was loaded");
  }
  if (t->layer > band->model.layers) {
    return thar_refuse(THAR_ERR_BAD_VALUE, "trace: no such layer");
  }
  return THAR_DONE;
}

thar_refusal thar_answer_trace(thar_band *band, thar_reader *body) {
  tracer t = {NULL, 0, 0, 0};
  const bool by_channel = thar_reader_left(body) != 0;
  if (by_channel) {
    const thar_trace_request q = thar_get_trace_request(body);
    t.layer = q.layer;
    t.channels = q.channels;
  }
  thar_refusal no = thar_expect_end(body);
  no = no.code != THAR_ERR_NONE ? no : expect_trace(band, &t);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  const thar_trace_response r = {by_channel ? t.channels : (uint8_t)(band->model.layers + 1)};
  thar_writer out = thar_open_response(band);
  thar_put_trace_response(&out, &r);
  t.out = &out;
  put_layer(&t, 0, band->window, thar_model_window_values(&band->model));
  put_window_into_engine(band);
  if (thar_engine_invoke_traced(&band->model.engine, on_layer, &t) != THAR_ENGINE_OK) {
    return thar_refuse(THAR_ERR_ENGINE, "the engine failed");
  }
  if (t.put != r.n) {
    return thar_refuse(THAR_ERR_BAD_VALUE, "trace: the layer has other channels");
  }
  return thar_send_response(band, &out);
}

/* ---- SELFTEST ---- */

thar_refusal thar_answer_selftest(thar_band *band, thar_reader *body) {
  thar_refusal no = thar_expect_end(body);
  no = no.code != THAR_ERR_NONE ? no : thar_expect_model(band);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  const thar_bundle *bundle = &band->model.bundle;
  const uint8_t classes = bundle->header.classes;
  thar_selftest_response r = {0, 0, THAR_NONE};
  int8_t expected[THAR_MAX_CLASSES] = {0};
  int8_t got[THAR_MAX_CLASSES] = {0};
  band->streamed = false;
  for (; r.run < bundle->header.golden; r.run++) {
    if (thar_model_answers_golden(&band->model, r.run)) {
      continue;
    }
    if (r.failed == 0) {
      r.first_failed = r.run;
      memcpy(expected, thar_bundle_golden_logits(bundle, r.run), classes);
      memcpy(got, thar_engine_output(&band->model.engine), classes);
    }
    r.failed++;
  }
  thar_writer out = thar_open_response(band);
  thar_put_selftest_response(&out, &r);
  thar_put_bytes(&out, expected, classes);
  thar_put_bytes(&out, got, classes);
  return thar_send_response(band, &out);
}
