/* What the band says about itself: IDENTIFY, DESCRIBE, STATS, SETTINGS, RESET. */
#include <string.h>

#include "answers.h"
#include "tinyhar/port.h"

void thar_put_identity(const thar_band *band, thar_writer *out) {
  const thar_port_info *port = thar_port_about();
  const thar_model *model = &band->model;
  const size_t board_length = strlen(port->board);
  thar_identify_response r;
  memset(&r, 0, sizeof r);
  r.protocol = THAR_PROTOCOL_VERSION;
  r.fw_major = THAR_FIRMWARE_MAJOR;
  r.fw_minor = THAR_FIRMWARE_MINOR;
  r.fw_patch = THAR_FIRMWARE_PATCH;
  r.boot_id = port->boot_id;
  r.reset_reason = port->reset_reason;
  r.engine = thar_model_engine();
  r.max_body = THAR_MAX_BODY;
  r.tick_hz = port->tick_hz;
  r.instructions_per_tick = port->instructions_per_tick;
  r.board_length = (uint8_t)board_length;
  if (model->problem == NULL) {
    const thar_bundle_header *h = &model->bundle.header;
    r.window = h->window;
    r.stride = band->windower.stride;
    r.channels = h->channels;
    r.classes = thar_learner_classes(&band->learner, model);
    r.layers = model->layers;
    r.golden = h->golden;
    r.rate_mhz = h->rate_mhz;
    r.arena_bytes = h->arena_bytes;
    r.model_bytes = h->model_bytes;
    r.bundle_id = h->identity;
  }
  thar_put_identify_response(out, &r);
  thar_put_bytes(out, port->board, board_length);
}

thar_refusal thar_answer_identify(thar_band *band, thar_reader *body) {
  const thar_identify_request q = thar_get_identify_request(body);
  if (body->ok && q.protocol != THAR_PROTOCOL_VERSION) {
    return thar_refuse(THAR_ERR_PROTOCOL, "this band speaks protocol 1");
  }
  const thar_refusal end = thar_expect_end(body);
  if (end.code != THAR_ERR_NONE) {
    return end;
  }
  band->sensor.watched = false; /* a new conversation */
  thar_writer out = thar_open_response(band);
  thar_put_identity(band, &out);
  return thar_send_response(band, &out);
}

thar_refusal thar_answer_describe(thar_band *band, thar_reader *body) {
  const thar_describe_request q = thar_get_describe_request(body);
  thar_refusal no = thar_expect_end(body);
  no = no.code != THAR_ERR_NONE ? no : thar_expect_model(band);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  thar_text text = {NULL, 0};
  if (q.what == THAR_DESCRIBE_CLASS_NAME) {
    text = thar_learner_class_name(&band->learner, &band->model, q.index);
  } else if (q.what == THAR_DESCRIBE_CHANNEL_NAME) {
    text = thar_bundle_channel_name(&band->model.bundle, q.index);
  } else {
    return thar_refuse(THAR_ERR_BAD_VALUE, "describe: 0 is a class, 1 a channel");
  }
  if (text.size == 0) {
    return thar_refuse(THAR_ERR_BAD_VALUE, "describe: no such index");
  }
  thar_writer out = thar_open_response(band);
  thar_put_bytes(&out, text.data, text.size);
  return thar_send_response(band, &out);
}

void thar_clear_stats(thar_band_stats *stats) {
  memset(stats, 0, sizeof *stats);
}

thar_refusal thar_answer_stats(thar_band *band, thar_reader *body) {
  const thar_stats_request q = thar_get_stats_request(body);
  const thar_refusal end = thar_expect_end(body);
  if (end.code != THAR_ERR_NONE) {
    return end;
  }
  const thar_port_info *port = thar_port_about();
  const thar_band_stats *s = &band->stats;
  const bool ready = band->model.problem == NULL;
  const thar_stats_response r = {
      .uptime_ms = thar_port_milliseconds(),
      .windows = s->windows,
      .frames_ok = s->frames_ok,
      .frames_bad = s->frames_bad,
      .ticks_min = s->ticks_min,
      .ticks_mean = s->windows != 0 ? (uint32_t)(s->ticks_sum / s->windows) : 0,
      .ticks_max = s->ticks_max,
      .arena_used = ready ? (uint32_t)thar_engine_arena_used(&band->model.engine) : 0,
      .stack_used = thar_port_stack_used(),
      .ram_bytes = port->ram_bytes,
      .flash_bytes = port->flash_bytes,
  };
  thar_writer out = thar_open_response(band);
  thar_put_stats_response(&out, &r);
  if (q.clear != 0) {
    thar_clear_stats(&band->stats);
  }
  return thar_send_response(band, &out);
}

void thar_clear_times(thar_band_stats *stats) {
  const thar_band_stats kept = {.frames_ok = stats->frames_ok, .frames_bad = stats->frames_bad};
  *stats = kept;
}

static thar_refusal set(thar_band *band, const thar_settings_body *wanted) {
  if (wanted->stride == 0) {
    return thar_refuse(THAR_ERR_BAD_VALUE, "settings: stride is 0");
  }
  if (wanted->smooth_length == 0 || wanted->smooth_length > THAR_MAX_SMOOTH_LENGTH) {
    return thar_refuse(THAR_ERR_BAD_VALUE, "settings: smooth_length is 0 or beyond this build");
  }
  if (wanted->smooth_hold == 0) {
    return thar_refuse(THAR_ERR_BAD_VALUE, "settings: smooth_hold is 0");
  }
  if (band->learner.showing) {
    return thar_refuse(THAR_ERR_BAD_VALUE, "settings: not while a class is taught");
  }
  thar_restart_stream(band, wanted->stride, wanted->smooth_length, wanted->smooth_hold);
  return THAR_DONE;
}

thar_refusal thar_answer_settings(thar_band *band, thar_reader *body) {
  thar_refusal no = thar_expect_model(band);
  if (no.code == THAR_ERR_NONE && thar_reader_left(body) != 0) {
    const thar_settings_body wanted = thar_get_settings_body(body);
    no = thar_expect_end(body);
    no = no.code != THAR_ERR_NONE ? no : set(band, &wanted);
  }
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  const thar_settings_body now = {band->windower.stride, band->smoothing.length,
                                  band->smoothing.hold};
  thar_writer out = thar_open_response(band);
  thar_put_settings_body(&out, &now);
  return thar_send_response(band, &out);
}

thar_refusal thar_answer_reset(thar_band *band, thar_reader *body) {
  thar_refusal no = thar_expect_end(body);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  const thar_writer out = thar_open_response(band);
  no = thar_send_response(band, &out);
  thar_port_reset();
  return no;
}
