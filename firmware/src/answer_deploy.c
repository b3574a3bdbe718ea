/* A bundle on its way into the spare slot: BEGIN, CHUNK, COPY, COMMIT, ABORT. */
#include <string.h>

#include "answers.h"
#include "tinyhar/checksum.h"

/* ---- BEGIN ---- */

static thar_refusal expect_fit(const thar_band *band, const thar_begin_request *q) {
  const thar_bundle_header h = {
      .window = q->window,
      .channels = q->channels,
      .classes = q->classes,
      .engine = q->engine,
      .smooth_length = q->smooth_length,
      .arena_bytes = q->arena_bytes,
  };
  const char *wrong = thar_model_misfit(&h, band->arena_bytes);
  if (wrong != NULL) {
    const thar_refusal refusal = {thar_model_misfit_code(&h),
                                  "the bundle does not fit this firmware", wrong};
    return refusal;
  }
  return THAR_DONE;
}

static thar_refusal expect_sensors(const thar_band *band, const thar_begin_request *q) {
  if (q->any_sensors != 0 || band->model.problem != NULL) {
    return THAR_DONE;
  }
  const thar_bundle *b = &band->model.bundle;
  const char *wrong = NULL;
  if (q->rate_mhz != b->header.rate_mhz) {
    wrong = "rate";
  } else if (q->channels_crc32 != thar_crc32(0, b->channel_table, b->header.channels_bytes)) {
    wrong = "channels";
  }
  const thar_refusal refusal = {THAR_ERR_OTHER_SENSORS, "not what this band's sensors deliver",
                                wrong};
  return wrong != NULL ? refusal : THAR_DONE;
}

static bool runs_already(const thar_band *band, const thar_begin_request *q) {
  return band->model.problem == NULL &&
         memcmp(band->model.bundle.header.identity.bytes, q->bundle_id.bytes, THAR_ID_BYTES) == 0;
}

thar_refusal thar_answer_begin(thar_band *band, thar_reader *body) {
  const thar_begin_request q = thar_get_begin_request(body);
  thar_refusal no = thar_expect_end(body);
  no = no.code != THAR_ERR_NONE ? no : expect_fit(band, &q);
  no = no.code != THAR_ERR_NONE ? no : expect_sensors(band, &q);
  thar_begin_response r = {0, runs_already(band, &q)};
  if (no.code == THAR_ERR_NONE && r.running == 0) {
    const thar_slot_content content = {q.bundle_bytes, q.crc32, q.bundle_id};
    no = thar_refuse_status(thar_store_begin(&band->store, &content));
    band->any_sensors = q.any_sensors != 0;
    r.received = band->store.received;
  }
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  thar_writer out = thar_open_response(band);
  thar_put_begin_response(&out, &r);
  return thar_send_response(band, &out);
}

/* ---- CHUNK and COPY ---- */

static thar_refusal tell_received(thar_band *band, thar_store_status status) {
  const thar_refusal no = thar_refuse_status(status);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  const thar_chunk_response r = {band->store.received};
  thar_writer out = thar_open_response(band);
  thar_put_chunk_response(&out, &r);
  return thar_send_response(band, &out);
}

thar_refusal thar_answer_chunk(thar_band *band, thar_reader *body) {
  const thar_chunk_request q = thar_get_chunk_request(body);
  if (!body->ok) {
    return thar_expect_end(body);
  }
  const size_t size = thar_reader_left(body);
  const uint8_t *bytes = thar_get_bytes(body, size);
  return tell_received(band, thar_store_write(&band->store, q.offset, bytes, (uint32_t)size));
}

thar_refusal thar_answer_copy(thar_band *band, thar_reader *body) {
  const thar_copy_request q = thar_get_copy_request(body);
  thar_refusal no = thar_expect_end(body);
  no = no.code != THAR_ERR_NONE ? no : thar_expect_model(band);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  const uint32_t all = band->model.bundle.header.total_bytes;
  if (q.source > all || q.size > all - q.source) {
    return thar_refuse(THAR_ERR_BAD_VALUE, "copy: beyond the running bundle");
  }
  const uint8_t *from = band->model.bytes + q.source;
  return tell_received(band, thar_store_copy(&band->store, q.offset, from, q.size));
}

/* ---- COMMIT and ABORT ---- */

static thar_refusal expect_all(const thar_store *s) {
  if (!s->receiving) {
    return thar_refuse_status(THAR_STORE_NOTHING_THERE);
  }
  if (s->received != s->coming.bundle_bytes) {
    return thar_refuse(THAR_ERR_OUT_OF_ORDER, "commit: bytes are missing");
  }
  return THAR_DONE;
}

/* The bundle checks itself whole; that it is the one that was announced is left. */
static thar_refusal try_what_came(thar_band *band) {
  const thar_bundle running = band->model.bundle;
  const bool any = band->any_sensors || band->model.problem != NULL;
  const thar_slot_content *coming = &band->store.coming;
  const thar_refusal no = thar_try_bundle(band, thar_store_coming(&band->store),
                                          coming->bundle_bytes, any ? NULL : &running);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  const thar_bundle_header *h = &band->model.bundle.header;
  if (h->crc32 != coming->crc32 ||
      memcmp(h->identity.bytes, coming->identity.bytes, THAR_ID_BYTES) != 0) {
    return thar_refuse(THAR_ERR_DAMAGED, "another bundle came than was announced");
  }
  return THAR_DONE;
}

thar_refusal thar_tell_activated(thar_band *band) {
  thar_take_up_model(band);
  thar_clear_times(&band->stats);
  const uint8_t slot = band->store.current;
  const thar_activated_response r = {
      slot, band->model.bundle.header.golden,
      slot == THAR_SLOT_OF_IMAGE ? 0 : thar_slot_sequence(slot)};
  thar_writer out = thar_open_response(band);
  thar_put_activated_response(&out, &r);
  return thar_send_response(band, &out);
}

thar_refusal thar_answer_commit(thar_band *band, thar_reader *body) {
  thar_refusal no = thar_expect_end(body);
  no = no.code != THAR_ERR_NONE ? no : expect_all(&band->store);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  no = try_what_came(band);
  if (no.code == THAR_ERR_NONE) {
    no = thar_refuse_status(thar_store_activate(&band->store));
  }
  if (no.code == THAR_ERR_NONE) {
    return thar_tell_activated(band);
  }
  (void)thar_store_abort(&band->store);
  thar_load_current(band);
  return no;
}

thar_refusal thar_answer_abort(thar_band *band, thar_reader *body) {
  thar_refusal no = thar_expect_end(body);
  no = no.code != THAR_ERR_NONE ? no : thar_refuse_status(thar_store_abort(&band->store));
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  const thar_writer out = thar_open_response(band);
  return thar_send_response(band, &out);
}
