/* Which model runs: at boot, after a deployment, after going back. */
#include <string.h>

#include "answers.h"
#include "tinyhar/port.h"

void thar_restart_stream(thar_band *band, uint16_t stride, uint8_t smooth_length,
                         uint8_t smooth_hold) {
  const thar_bundle_header *h = &band->model.bundle.header;
  const uint8_t classes = thar_learner_classes(&band->learner, &band->model);
  thar_windower_init(&band->windower, band->ring, h->window, stride, h->channels);
  thar_smoothing_init(&band->smoothing, classes, smooth_length, smooth_hold);
  band->stream_ticks = 0;
  band->streamed = false;
  band->sensor.held = 0;
}

void thar_take_up_model(thar_band *band) {
  const thar_bundle_header *h = &band->model.bundle.header;
  band->loaded = 0;
  band->has_window = false;
  thar_learner_open(&band->learner, &band->model);
  if (band->model.problem == NULL) {
    thar_restart_stream(band, h->stride, h->smooth_length, h->smooth_hold);
  }
}

static void load(thar_band *band, const uint8_t *bytes, size_t size) {
  band->streamed = false;
  thar_model_load(&band->model, bytes, size, band->arena, band->arena_bytes);
}

void thar_load_current(thar_band *band) {
  const thar_port_info *port = thar_port_about();
  const uint8_t slot = band->store.current;
  thar_slot_content content;
  if (slot == THAR_SLOT_OF_IMAGE) {
    load(band, port->bundle, port->bundle_bytes);
  } else if (thar_slot_content_of(slot, &content)) {
    load(band, thar_slot_bundle(slot), content.bundle_bytes);
  } else {
    load(band, NULL, 0);
  }
}

/* ---- boot ---- */

/* Or nobody knows, as after a lock-up. */
static bool crashed(void) {
  const uint8_t reason = thar_port_about()->reset_reason;
  return reason != THAR_RESET_REASON_POWER_ON && reason != THAR_RESET_REASON_REQUESTED;
}

typedef enum { RUNS, DOES_NOT_FIT, FAILED } outcome;

/* A boot that nothing speaks against is not noted, which would wear the flash. */
static outcome try_to_boot(thar_band *band, uint8_t slot) {
  const bool watched = crashed() || !thar_slot_has_booted(slot);
  if (thar_slot_failures(slot) >= THAR_SLOT_MOST_FAILURES) {
    return FAILED;
  }
  if (watched) {
    (void)thar_slot_begin_boot(slot);
  }
  thar_load_current(band);
  const bool fits = band->model.problem == NULL;
  if (!fits && band->model.code == THAR_ERR_DAMAGED) {
    return FAILED;
  }
  if (fits && watched && thar_model_try(&band->model) != THAR_NONE) {
    return FAILED;
  }
  if (watched) { /* what does not fit has not failed either */
    (void)thar_slot_end_boot(slot);
  }
  return fits ? RUNS : DOES_NOT_FIT;
}

/* What is whole but does not fit this image may fit the next one: only a failure is remembered. */
void thar_load_at_boot(thar_band *band) {
  thar_store *s = &band->store;
  thar_store_open(s);
  while (s->current != THAR_SLOT_OF_IMAGE) {
    const outcome found = try_to_boot(band, s->current);
    if (found == RUNS) {
      break;
    }
    thar_store_set_aside(s, found == FAILED);
  }
  if (s->current == THAR_SLOT_OF_IMAGE) {
    thar_load_current(band);
  }
  thar_take_up_model(band);
}

/* ---- trial ---- */

static bool same_sensors(const thar_bundle *a, const thar_bundle *b) {
  return a->header.rate_mhz == b->header.rate_mhz &&
         a->header.channels_bytes == b->header.channels_bytes &&
         memcmp(a->channel_table, b->channel_table, a->header.channels_bytes) == 0;
}

thar_refusal thar_try_bundle(thar_band *band, const uint8_t *bytes, size_t size,
                             const thar_bundle *sensors) {
  const thar_model *m = &band->model;
  load(band, bytes, size);
  if (m->problem != NULL) {
    const thar_refusal refusal = {m->code, m->problem, m->field};
    return refusal;
  }
  if (sensors != NULL && !same_sensors(&m->bundle, sensors)) {
    return thar_refuse(THAR_ERR_OTHER_SENSORS, "other channels, scales or rate than the band's");
  }
  if (m->bundle.header.golden == 0) {
    return thar_refuse(THAR_ERR_TRIAL_FAILED, "the bundle carries no golden windows to try it on");
  }
  if (thar_model_try(&band->model) != THAR_NONE) {
    return thar_refuse(THAR_ERR_TRIAL_FAILED, "a golden window's answer is not the bundle's");
  }
  return THAR_DONE;
}
