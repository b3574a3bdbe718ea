/* The band's own sensor, and LIVE, by which a host watches it. */
#include <string.h>

#include "answers.h"
#include "tinyhar/port.h"

#define PIECES_A_SECOND 12u
#define HOST_PATIENCE_MS 2000u

static void to_port(void *ctx, const uint8_t *bytes, size_t size) {
  (void)ctx;
  thar_port_write(bytes, size);
}

/* Past the outbox, which still holds the answer to the last request. */
static thar_writer open_event(const thar_band *band, uint8_t *bytes, size_t size, uint8_t type) {
  thar_writer out = thar_writer_of(bytes, size);
  thar_put_u8(&out, type);
  thar_put_u8(&out, band->sensor.seq);
  return out;
}

static void send(const thar_writer *out) {
  if (out->ok) {
    thar_frame_send(out->data, out->at, to_port, NULL);
  }
}

/* ---- samples ---- */

static size_t sample_bytes(const thar_band *band) {
  return band->model.bundle.header.channels * sizeof(int16_t);
}

/* As many as a twelfth of a second has, and as fit; 0: not even one does. */
static uint8_t samples_a_piece(const thar_band *band) {
  const uint32_t wanted = band->model.bundle.header.rate_mhz / 1000u / PIECES_A_SECOND;
  const size_t most = THAR_LIVE_BYTES / sample_bytes(band);
  return (uint8_t)(wanted < most ? (wanted > 0 ? wanted : most > 0) : most);
}

static void show_samples(thar_band *band, const uint8_t *counts) {
  thar_sensor *s = &band->sensor;
  const uint8_t piece = samples_a_piece(band);
  if (piece == 0) {
    return;
  }
  if (s->held == 0) {
    s->first = band->windower.next_sample;
  }
  memcpy(s->counts + s->held * sample_bytes(band), counts, sample_bytes(band));
  if (++s->held < piece) {
    return;
  }
  uint8_t bytes[THAR_HEADER_BYTES + THAR_FIELD_BYTES(THAR_SAMPLES_EVENT) + THAR_LIVE_BYTES];
  thar_writer out = open_event(band, bytes, sizeof bytes, THAR_MSG_SAMPLES);
  const thar_samples_event event = {s->first};
  thar_put_samples_event(&out, &event);
  thar_put_bytes(&out, s->counts, s->held * sample_bytes(band));
  s->held = 0;
  send(&out);
}

/* ---- the sensor ---- */

/* The sensor's turn comes again, from sample 0, when a host has not streamed for a while. */
static bool is_hosts_turn(thar_band *band) {
  thar_sensor *s = &band->sensor;
  if (!s->by_host) {
    return false;
  }
  if (thar_port_milliseconds() - s->hosted_ms < HOST_PATIENCE_MS) {
    return true;
  }
  s->by_host = false;
  thar_rewind_stream(band);
  return false;
}

bool thar_band_sense(thar_band *band, const int16_t *counts, uint8_t channels) {
  uint8_t bytes[THAR_HEADER_BYTES + THAR_FIELD_BYTES(THAR_PREDICTION_EVENT) + THAR_MAX_CLASSES];
  band->sensor.channels = channels;
  if (band->model.problem != NULL || is_hosts_turn(band) ||
      channels != band->model.bundle.header.channels) {
    return false;
  }
  if (band->sensor.watched) {
    show_samples(band, (const uint8_t *)counts);
  }
  if (!thar_take_sample(band, (const uint8_t *)counts)) {
    return false;
  }
  thar_writer out = open_event(band, bytes, sizeof bytes, THAR_MSG_PREDICTION);
  if (thar_predict(band, &out).code != THAR_ERR_NONE) {
    return false;
  }
  if (band->sensor.watched) {
    send(&out);
  }
  return true;
}

thar_shown_class thar_band_shown(const thar_band *band) {
  thar_shown_class shown = {THAR_NONE, 0, {NULL, 0}};
  if (band->model.problem == NULL && band->smoothing.filled != 0) {
    shown.class_index = band->shown.shown;
    shown.confidence = band->shown.confidence;
    shown.name = thar_learner_class_name(&band->learner, &band->model, shown.class_index);
  }
  return shown;
}

/* ---- LIVE ---- */

thar_refusal thar_answer_live(thar_band *band, thar_reader *body) {
  const thar_live_request q = thar_get_live_request(body);
  thar_refusal no = thar_expect_end(body);
  no = no.code != THAR_ERR_NONE ? no : thar_expect_model(band);
  if (no.code == THAR_ERR_NONE && band->sensor.channels == 0) {
    no = thar_refuse(THAR_ERR_UNSUPPORTED, "live: this band has no sensor of its own");
  } else if (no.code == THAR_ERR_NONE &&
             band->sensor.channels != band->model.bundle.header.channels) {
    no = thar_refuse(THAR_ERR_OTHER_SENSORS, "live: the sensor has other channels than the model");
  }
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  thar_sensor *s = &band->sensor;
  s->watched = q.on != 0;
  s->seq = band->last.seq;
  if (s->watched) {
    s->by_host = false;
    thar_rewind_stream(band);
  }
  const thar_live_response r = {s->watched};
  thar_writer out = thar_open_response(band);
  thar_put_live_response(&out, &r);
  return thar_send_response(band, &out);
}
