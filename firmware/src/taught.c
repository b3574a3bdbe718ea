#include "tinyhar/taught.h"

#include <string.h>

#include "flash.h"
#include "tinyhar/checksum.h"
#include "tinyhar/messages.h"
#include "tinyhar/port.h"

#define MAGIC 0x47544854u /* "THTG" */
#define HEADER_BYTES 64
#define HEADER_CHECKED 48
#define ENTRY_HEAD_BYTES 48
#define NAME_AT 8
#define CELL THAR_SLOT_CELL

_Static_assert(NAME_AT + THAR_TAUGHT_NAME_BYTES <= ENTRY_HEAD_BYTES, "a name fits its entry");

typedef struct {
  uint32_t sequence;
  thar_id32 bundle;
  uint32_t entries_crc;
  uint16_t embedding;
  uint8_t count;
} snapshot;

static uint32_t entry_bytes(uint16_t embedding) {
  return ENTRY_HEAD_BYTES + (embedding + CELL - 1u) / CELL * CELL;
}

static const uint8_t *area_of(uint8_t area) {
  return thar_port_flash_about()->bytes + thar_flash_taught_start(area);
}

/* ---- reading ---- */

static bool read(uint8_t area, snapshot *s) {
  if (thar_flash_taught_bytes() < HEADER_BYTES) {
    return false;
  }
  const uint8_t *at = area_of(area);
  thar_reader r = thar_reader_of(at, HEADER_BYTES);
  const uint32_t magic = thar_get_u32(&r);
  s->sequence = thar_get_u32(&r);
  s->bundle = thar_get_id32(&r);
  s->entries_crc = thar_get_u32(&r);
  s->embedding = thar_get_u16(&r);
  s->count = thar_get_u8(&r);
  (void)thar_get_u8(&r);
  const uint32_t room = thar_flash_taught_bytes() - HEADER_BYTES;
  return magic == MAGIC && thar_get_u32(&r) == thar_crc32(0, at, HEADER_CHECKED) &&
         s->count * entry_bytes(s->embedding) <= room &&
         thar_crc32(0, at + HEADER_BYTES, s->count * entry_bytes(s->embedding)) == s->entries_crc;
}

uint8_t thar_taught_room(uint16_t embedding) {
  if (!thar_slots_exist() || thar_flash_taught_bytes() < HEADER_BYTES) {
    return 0;
  }
  const uint32_t most = (thar_flash_taught_bytes() - HEADER_BYTES) / entry_bytes(embedding);
  return most < THAR_NONE ? (uint8_t)most : THAR_NONE;
}

thar_taught thar_taught_find(const thar_id32 *bundle, uint16_t embedding) {
  thar_taught t = {.area = THAR_SLOTS, .embedding = embedding, .bundle = *bundle};
  uint32_t highest = 0;
  for (uint8_t area = 0; thar_slots_exist() && area < THAR_SLOTS; area++) {
    snapshot s;
    if (read(area, &s) && s.embedding == embedding && s.sequence >= highest &&
        memcmp(s.bundle.bytes, bundle->bytes, THAR_ID_BYTES) == 0) {
      highest = s.sequence;
      t.area = area;
      t.count = s.count;
    }
  }
  return t;
}

static const uint8_t *entry_of(const thar_taught *t, uint8_t entry) {
  return area_of(t->area) + HEADER_BYTES + entry * entry_bytes(t->embedding);
}

thar_taught_class thar_taught_get(const thar_taught *t, uint8_t entry) {
  const uint8_t *at = entry_of(t, entry);
  const thar_taught_class found = {
      .class_index = at[0],
      .name_bytes = at[1] <= THAR_TAUGHT_NAME_BYTES ? at[1] : THAR_TAUGHT_NAME_BYTES,
      .windows = thar_load_u16(at + 2),
      .samples = thar_load_u32(at + 4),
      .name = (const char *)at + NAME_AT,
      .mean = (const int8_t *)at + ENTRY_HEAD_BYTES,
  };
  return found;
}

/* ---- writing ---- */

typedef struct {
  uint32_t at; /* in flash */
  uint32_t crc;
  bool ok;
} sink;

/* Any number of bytes, filled up with zeros to whole cells. */
static void put(sink *to, const uint8_t *bytes, uint32_t size) {
  for (uint32_t i = 0; to->ok && i < size; i += CELL) {
    uint8_t cell[CELL] = {0};
    memcpy(cell, bytes + i, size - i < CELL ? size - i : CELL);
    to->ok = thar_flash_program(to->at, cell, sizeof cell);
    to->crc = thar_crc32(to->crc, cell, sizeof cell);
    to->at += CELL;
  }
}

static void put_class(sink *to, const thar_taught_class *one, uint16_t embedding) {
  uint8_t head[ENTRY_HEAD_BYTES] = {0};
  thar_writer w = thar_writer_of(head, sizeof head);
  thar_put_u8(&w, one->class_index);
  thar_put_u8(&w, one->name_bytes);
  thar_put_u16(&w, one->windows);
  thar_put_u32(&w, one->samples);
  thar_put_bytes(&w, one->name, one->name_bytes);
  put(to, head, sizeof head);
  put(to, (const uint8_t *)one->mean, embedding);
}

static bool erase(uint8_t area) {
  const uint32_t page = thar_port_flash_about()->page_bytes;
  for (uint32_t at = 0; at < thar_flash_taught_bytes(); at += page) {
    if (!thar_flash_erase(thar_flash_taught_start(area) + at)) {
      return false;
    }
  }
  return true;
}

static bool seal(uint8_t area, const snapshot *s) {
  uint8_t header[HEADER_BYTES] = {0};
  thar_writer w = thar_writer_of(header, sizeof header);
  thar_put_u32(&w, MAGIC);
  thar_put_u32(&w, s->sequence);
  thar_put_id32(&w, s->bundle);
  thar_put_u32(&w, s->entries_crc);
  thar_put_u16(&w, s->embedding);
  thar_put_u8(&w, s->count);
  thar_put_u8(&w, 0);
  thar_put_u32(&w, thar_crc32(0, header, HEADER_CHECKED));
  sink to = {thar_flash_taught_start(area), 0, true};
  put(&to, header, sizeof header);
  return to.ok;
}

/* Not over what counts now; else over the older one, which another bundle may still come back to. */
static uint8_t area_to_write(const thar_taught *t, uint32_t *highest) {
  snapshot s[THAR_SLOTS];
  bool valid[THAR_SLOTS];
  *highest = 0;
  for (uint8_t area = 0; area < THAR_SLOTS; area++) {
    valid[area] = read(area, &s[area]);
    *highest = valid[area] && s[area].sequence > *highest ? s[area].sequence : *highest;
  }
  if (t->area < THAR_SLOTS) {
    return (uint8_t)(1 - t->area);
  }
  return valid[0] && (!valid[1] || s[1].sequence < s[0].sequence) ? 1 : 0;
}

/* The entries there are, one of them changed or left out, or one more. */
static void put_entries(sink *to, const thar_taught *t, uint8_t entry, const thar_taught_class *now,
                        uint8_t *count) {
  for (uint8_t i = 0; i < t->count; i++) {
    const thar_taught_class old = thar_taught_get(t, i);
    const thar_taught_class *one = i == entry ? now : &old;
    if (one != NULL) {
      put_class(to, one, t->embedding);
      (*count)++;
    }
  }
  if (entry == THAR_NONE) {
    put_class(to, now, t->embedding);
    (*count)++;
  }
}

static bool write_snapshot(thar_taught *t, bool empty, uint8_t entry,
                           const thar_taught_class *now) {
  uint32_t highest;
  if (thar_taught_room(t->embedding) == 0) {
    return false;
  }
  const uint8_t area = area_to_write(t, &highest);
  if (!erase(area)) {
    return false;
  }
  sink to = {thar_flash_taught_start(area) + HEADER_BYTES, 0, true};
  uint8_t count = 0;
  if (!empty) {
    put_entries(&to, t, entry, now, &count);
  }
  const snapshot s = {highest + 1, t->bundle, to.crc, t->embedding, count};
  if (!to.ok || !seal(area, &s)) {
    return false;
  }
  t->area = area;
  t->count = count;
  return true;
}

bool thar_taught_write(thar_taught *t, uint8_t entry, const thar_taught_class *now) {
  return write_snapshot(t, false, entry, now);
}

bool thar_taught_clear(thar_taught *t) {
  return write_snapshot(t, true, THAR_NONE, NULL);
}
