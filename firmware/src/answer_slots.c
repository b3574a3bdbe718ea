/* The model store from outside: SLOT, BLOCKS, ROLLBACK. */
#include <string.h>

#include "answers.h"
#include "tinyhar/checksum.h"
#include "tinyhar/port.h"

#define CRC_BYTES 4
/* What an answer has beside its CRCs, in the outbox. */
#define FRAME_BYTES (4 + THAR_FIELD_BYTES(THAR_BLOCKS_RESPONSE))

thar_refusal thar_refuse_status(thar_store_status status) {
  switch (status) {
    case THAR_STORE_NO_ROOM:
      return thar_refuse(THAR_ERR_NO_ROOM, "the bundle is larger than a slot");
    case THAR_STORE_FLASH:
      return thar_refuse(THAR_ERR_FLASH, "there is no flash for models, or writing it failed");
    case THAR_STORE_NOTHING_THERE:
      return thar_refuse(THAR_ERR_NOTHING_THERE, "no deployment is under way; BEGIN first");
    case THAR_STORE_OUT_OF_RANGE:
      return thar_refuse(THAR_ERR_BAD_VALUE, "not multiples of 16, or beyond the bundle");
    case THAR_STORE_OK:
    default:
      return THAR_DONE;
  }
}

/* ---- SLOT ---- */

static void describe_image(thar_slot_response *r) {
  const thar_port_info *port = thar_port_about();
  const bool has_bundle = port->bundle != NULL && port->bundle_bytes >= THAR_BUNDLE_HEADER_BYTES;
  r->state = has_bundle ? THAR_SLOT_BUILT_IN : THAR_SLOT_EMPTY;
  r->bundle_bytes = has_bundle ? (uint32_t)port->bundle_bytes : 0;
  if (has_bundle) {
    memcpy(r->bundle_id.bytes, port->bundle + THAR_BUNDLE_CRC_AT + CRC_BYTES, THAR_ID_BYTES);
  }
}

static uint8_t state_of(const thar_slot_response *r, const thar_store *s) {
  if (r->sequence == 0) {
    return THAR_SLOT_RECEIVING;
  }
  if (r->bundle_bytes == 0) {
    return THAR_SLOT_BUILT_IN;
  }
  const bool aside = (s->set_aside >> r->index & 1) != 0;
  return aside || r->failures >= THAR_SLOT_MOST_FAILURES ? THAR_SLOT_REJECTED : THAR_SLOT_READY;
}

static void describe_slot(const thar_store *s, thar_slot_response *r) {
  thar_slot_content content;
  if (!s->usable) {
    return;
  }
  r->capacity = thar_slot_capacity();
  if (thar_slot_content_of(r->index, &content)) {
    r->bundle_bytes = content.bundle_bytes;
    r->bundle_id = content.identity;
    r->failures = thar_slot_failures(r->index);
    r->sequence = thar_slot_sequence(r->index);
    r->state = state_of(r, s);
    r->received = r->state == THAR_SLOT_RECEIVING && s->receiving ? s->received : 0;
  }
}

thar_refusal thar_answer_slot(thar_band *band, thar_reader *body) {
  const thar_slot_request q = thar_get_slot_request(body);
  const thar_refusal no = thar_expect_end(body);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  if (q.index > THAR_SLOT_OF_IMAGE) {
    return thar_refuse(THAR_ERR_BAD_VALUE, "slot: 0, 1, or 2 for the image's own bundle");
  }
  thar_slot_response r;
  memset(&r, 0, sizeof r);
  r.index = q.index;
  r.active = band->store.current == q.index && band->model.problem == NULL;
  if (q.index == THAR_SLOT_OF_IMAGE) {
    describe_image(&r);
  } else {
    describe_slot(&band->store, &r);
  }
  thar_writer out = thar_open_response(band);
  thar_put_slot_response(&out, &r);
  return thar_send_response(band, &out);
}

/* ---- BLOCKS ---- */

static uint32_t crc_of_block(const thar_model *m, uint32_t at) {
  const uint32_t left = m->bundle.header.total_bytes - at;
  return thar_crc32(0, m->bytes + at, left < THAR_DEPLOY_BLOCK ? left : THAR_DEPLOY_BLOCK);
}

thar_refusal thar_answer_blocks(thar_band *band, thar_reader *body) {
  const thar_blocks_request q = thar_get_blocks_request(body);
  thar_refusal no = thar_expect_end(body);
  no = no.code != THAR_ERR_NONE ? no : thar_expect_model(band);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  const thar_model *m = &band->model;
  const uint32_t size = m->bundle.header.total_bytes;
  const uint32_t blocks = (size + THAR_DEPLOY_BLOCK - 1) / THAR_DEPLOY_BLOCK;
  const uint32_t room = (THAR_OUTBOX_BYTES - FRAME_BYTES) / CRC_BYTES;
  uint32_t n = q.first < blocks ? blocks - q.first : 0;
  n = n < q.count ? n : q.count;
  n = n < room ? n : room;
  const thar_blocks_response r = {size, (uint8_t)n};
  thar_writer out = thar_open_response(band);
  thar_put_blocks_response(&out, &r);
  for (uint32_t i = 0; i < n; i++) {
    thar_put_u32(&out, crc_of_block(m, (q.first + i) * THAR_DEPLOY_BLOCK));
  }
  return thar_send_response(band, &out);
}

/* ---- ROLLBACK ---- */

static thar_refusal try_to_go_back(thar_band *band, uint8_t to) {
  const thar_port_info *port = thar_port_about();
  thar_slot_content content;
  if (to == THAR_SLOT_OF_IMAGE) {
    return thar_try_bundle(band, port->bundle, port->bundle_bytes, NULL);
  }
  (void)thar_slot_content_of(to, &content);
  return thar_try_bundle(band, thar_slot_bundle(to), content.bundle_bytes, NULL);
}

static thar_refusal go_back(thar_band *band) {
  uint8_t to = thar_store_previous(&band->store);
  thar_refusal no = THAR_DONE;
  if (to != THAR_SLOT_OF_IMAGE) {
    no = try_to_go_back(band, to);
    if (no.code == THAR_ERR_NONE) {
      return thar_refuse_status(thar_store_go_back(&band->store, to));
    }
    to = THAR_SLOT_OF_IMAGE;
  }
  const bool possible =
      band->store.current != THAR_SLOT_OF_IMAGE && thar_port_about()->bundle_bytes != 0;
  if (!possible) {
    return thar_refuse(THAR_ERR_NOTHING_THERE, "no other bundle to go back to");
  }
  no = try_to_go_back(band, to);
  return no.code != THAR_ERR_NONE ? no : thar_refuse_status(thar_store_go_back(&band->store, to));
}

thar_refusal thar_answer_rollback(thar_band *band, thar_reader *body) {
  thar_refusal no = thar_expect_end(body);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  no = go_back(band);
  if (no.code != THAR_ERR_NONE) {
    thar_load_current(band);
    return no;
  }
  return thar_tell_activated(band);
}
