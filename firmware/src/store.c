#include "tinyhar/store.h"

#include <string.h>

#include "tinyhar/bundle.h"

/* Copies go through RAM: most flash cannot be read while it is programmed. */
#define COPY_BYTES 128

_Static_assert(COPY_BYTES % THAR_SLOT_CELL == 0, "whole cells");
_Static_assert(THAR_BUNDLE_ALIGN % THAR_SLOT_CELL == 0, "a bundle ends with a cell");

static uint8_t other(uint8_t slot) {
  return (uint8_t)(1 - slot);
}

static bool same(const thar_slot_content *a, const thar_slot_content *b) {
  return a->bundle_bytes == b->bundle_bytes && a->crc32 == b->crc32 &&
         memcmp(a->identity.bytes, b->identity.bytes, THAR_ID_BYTES) == 0;
}

/* ---- which slot boots ---- */

/* 0 for a slot that cannot be it. */
static uint32_t rank(const thar_store *s, uint8_t slot) {
  thar_slot_content content;
  if ((s->set_aside >> slot & 1) != 0 || !thar_slot_content_of(slot, &content)) {
    return 0;
  }
  return thar_slot_sequence(slot);
}

/* The slot whose word counts, or THAR_SLOTS. */
static uint8_t speaker(const thar_store *s) {
  const uint32_t first = rank(s, 0), second = rank(s, 1);
  if (first == 0 && second == 0) {
    return THAR_SLOTS;
  }
  return first > second ? 0 : 1;
}

static bool holds_bundle(uint8_t slot) {
  thar_slot_content content;
  return thar_slot_content_of(slot, &content) && content.bundle_bytes != 0;
}

static void choose(thar_store *s) {
  const uint8_t slot = speaker(s);
  s->current = slot < THAR_SLOTS && holds_bundle(slot) ? slot : THAR_SLOT_OF_IMAGE;
}

void thar_store_open(thar_store *s) {
  memset(s, 0, sizeof *s);
  s->current = THAR_SLOT_OF_IMAGE;
  s->usable = thar_slots_exist();
  if (s->usable) {
    choose(s);
  }
}

static uint32_t next_sequence(void) {
  const uint32_t first = thar_slot_sequence(0), second = thar_slot_sequence(1);
  return (first > second ? first : second) + 1;
}

/* Puts the word into `slot` that the image's own bundle is to run. */
static bool point_to_image(uint8_t slot) {
  thar_slot_content nothing;
  memset(&nothing, 0, sizeof nothing);
  const uint32_t sequence = next_sequence();
  return thar_slot_begin(slot, &nothing) && thar_slot_activate(slot, sequence);
}

void thar_store_set_aside(thar_store *s, bool for_good) {
  const uint8_t bad = s->current;
  if (bad == THAR_SLOT_OF_IMAGE) {
    return;
  }
  s->set_aside |= (uint8_t)(1u << bad);
  choose(s);
  if (!for_good) {
    return;
  }
  /* If this fails, the next boot finds the same out again. */
  if (speaker(s) == other(bad)) {
    (void)thar_slot_activate(other(bad), next_sequence());
  } else {
    (void)point_to_image(other(bad));
  }
}

/* ---- a deployment ---- */

uint8_t thar_store_spare(const thar_store *s) {
  const uint8_t slot = speaker(s);
  if (slot < THAR_SLOTS) {
    return other(slot);
  }
  /* Rather the slot that was never active: the other one's bundle may fit the next image. */
  return thar_slot_sequence(0) != 0 && thar_slot_sequence(1) == 0 ? 1 : 0;
}

const uint8_t *thar_store_coming(const thar_store *s) {
  return thar_slot_bundle(thar_store_spare(s));
}

static bool resume(thar_store *s, uint8_t slot, const thar_slot_content *content) {
  thar_slot_content begun;
  return thar_slot_content_of(slot, &begun) && same(&begun, content) &&
         thar_slot_sequence(slot) == 0 && thar_slot_resume(slot, &s->received);
}

thar_store_status thar_store_begin(thar_store *s, const thar_slot_content *content) {
  if (!s->usable) {
    return THAR_STORE_FLASH;
  }
  if (content->bundle_bytes > thar_slot_capacity()) {
    return THAR_STORE_NO_ROOM;
  }
  if (content->bundle_bytes == 0 || content->bundle_bytes % THAR_SLOT_CELL != 0) {
    return THAR_STORE_OUT_OF_RANGE;
  }
  if (s->receiving && same(&s->coming, content)) {
    return THAR_STORE_OK;
  }
  const uint8_t slot = thar_store_spare(s);
  s->receiving = false;
  if (!resume(s, slot, content)) {
    s->received = 0;
    if (!thar_slot_begin(slot, content)) {
      return THAR_STORE_FLASH;
    }
  }
  s->coming = *content;
  s->receiving = true;
  s->set_aside &= (uint8_t)~(1u << slot);
  return THAR_STORE_OK;
}

static thar_store_status expect_range(const thar_store *s, uint32_t offset, uint32_t size) {
  if (!s->receiving) {
    return THAR_STORE_NOTHING_THERE;
  }
  const uint32_t all = s->coming.bundle_bytes;
  const bool whole = offset % THAR_SLOT_CELL == 0 && size % THAR_SLOT_CELL == 0 && size != 0;
  return whole && offset <= all && size <= all - offset ? THAR_STORE_OK : THAR_STORE_OUT_OF_RANGE;
}

/* What failed half-way cannot be written again: the slot is given up. */
static thar_store_status put(thar_store *s, const uint8_t *bytes, uint32_t size) {
  if (!thar_slot_write(thar_store_spare(s), s->received, bytes, size)) {
    (void)thar_store_abort(s);
    return THAR_STORE_FLASH;
  }
  s->received += size;
  return THAR_STORE_OK;
}

thar_store_status thar_store_write(thar_store *s, uint32_t offset, const uint8_t *bytes,
                                   uint32_t size) {
  const thar_store_status status = expect_range(s, offset, size);
  return status != THAR_STORE_OK || offset != s->received ? status : put(s, bytes, size);
}

thar_store_status thar_store_copy(thar_store *s, uint32_t offset, const uint8_t *from,
                                  uint32_t size) {
  thar_store_status status = expect_range(s, offset, size);
  uint32_t left = offset == s->received ? size : 0;
  while (status == THAR_STORE_OK && left > 0) {
    uint8_t piece[COPY_BYTES];
    const uint32_t part = left < COPY_BYTES ? left : COPY_BYTES;
    memcpy(piece, from, part);
    status = put(s, piece, part);
    from += part;
    left -= part;
  }
  return status;
}

thar_store_status thar_store_abort(thar_store *s) {
  const bool was = s->receiving;
  s->receiving = false;
  s->received = 0;
  if (!s->usable) {
    return THAR_STORE_FLASH;
  }
  const uint8_t slot = thar_store_spare(s);
  thar_slot_content content;
  const bool begun = thar_slot_content_of(slot, &content) && thar_slot_sequence(slot) == 0;
  return (was || begun) && !thar_slot_forget(slot) ? THAR_STORE_FLASH : THAR_STORE_OK;
}

thar_store_status thar_store_activate(thar_store *s) {
  if (!s->receiving) {
    return THAR_STORE_NOTHING_THERE;
  }
  if (!thar_slot_activate(thar_store_spare(s), next_sequence())) {
    (void)thar_store_abort(s);
    return THAR_STORE_FLASH;
  }
  s->receiving = false;
  s->received = 0;
  choose(s);
  return THAR_STORE_OK;
}

/* ---- back ---- */

uint8_t thar_store_previous(const thar_store *s) {
  if (!s->usable) {
    return THAR_SLOT_OF_IMAGE;
  }
  const uint8_t slot = thar_store_spare(s);
  const bool good = rank(s, slot) != 0 && holds_bundle(slot) &&
                    thar_slot_failures(slot) < THAR_SLOT_MOST_FAILURES;
  return good ? slot : THAR_SLOT_OF_IMAGE;
}

thar_store_status thar_store_go_back(thar_store *s, uint8_t to) {
  s->receiving = false;
  s->received = 0;
  if (!s->usable) {
    return THAR_STORE_FLASH;
  }
  const uint8_t spare = thar_store_spare(s);
  if (to != THAR_SLOT_OF_IMAGE ? !thar_slot_activate(spare, next_sequence())
                               : !point_to_image(spare)) {
    return THAR_STORE_FLASH;
  }
  choose(s);
  return THAR_STORE_OK;
}
