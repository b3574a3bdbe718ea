#include "tinyhar/slot.h"

#include <string.h>

#include "flash.h"
#include "tinyhar/bundle.h"
#include "tinyhar/checksum.h"
#include "tinyhar/port.h"

#define CONTENT_MAGIC 0x4C534854u /* "THSL" */
#define ACTIVE_MAGIC 0x43414854u  /* "THAC" */
#define CONTENT_BYTES 64
#define CONTENT_CHECKED 44
#define ACTIVATIONS_AT CONTENT_BYTES
#define ACTIVATIONS 28
#define BOOTS_AT 512
#define BOOTS 16
#define ACTIVATION_CHECKED 12

_Static_assert(ACTIVATIONS_AT + ACTIVATIONS * THAR_SLOT_CELL == BOOTS_AT, "cells do not overlap");
_Static_assert(BOOTS_AT + 2 * BOOTS * THAR_SLOT_CELL == THAR_SLOT_HEADER_BYTES, "a whole header");

/* ---- places ---- */

static uint32_t round_up(uint32_t size, uint32_t step) {
  const uint32_t over = size % step;
  return over == 0 ? size : size + (step - over);
}

static uint32_t header_bytes(void) {
  return round_up(THAR_SLOT_HEADER_BYTES, thar_port_flash_about()->page_bytes);
}

static uint32_t start_of(uint8_t slot) {
  return slot * (thar_port_flash_about()->size / THAR_SLOTS);
}

bool thar_slots_exist(void) {
  const thar_port_flash_info *f = thar_port_flash_about();
  if (f == NULL || f->bytes == NULL || (uintptr_t)f->bytes % THAR_BUNDLE_ALIGN != 0) {
    return false;
  }
  if (f->program_bytes == 0 || THAR_SLOT_CELL % f->program_bytes != 0 ||
      f->page_bytes < CONTENT_BYTES || f->page_bytes % THAR_SLOT_CELL != 0) {
    return false;
  }
  return f->size % (THAR_SLOTS * f->page_bytes) == 0 &&
         f->size / THAR_SLOTS > header_bytes() + thar_flash_taught_bytes();
}

uint32_t thar_slot_capacity(void) {
  return thar_port_flash_about()->size / THAR_SLOTS - header_bytes() - thar_flash_taught_bytes();
}

static const uint8_t *header_of(uint8_t slot) {
  return thar_port_flash_about()->bytes + start_of(slot);
}

const uint8_t *thar_slot_bundle(uint8_t slot) {
  return header_of(slot) + header_bytes();
}

/* ---- reading ---- */

bool thar_slot_content_of(uint8_t slot, thar_slot_content *content) {
  const uint8_t *header = header_of(slot);
  thar_reader r = thar_reader_of(header, CONTENT_BYTES);
  const uint32_t magic = thar_get_u32(&r);
  content->bundle_bytes = thar_get_u32(&r);
  content->crc32 = thar_get_u32(&r);
  content->identity = thar_get_id32(&r);
  return magic == CONTENT_MAGIC && thar_get_u32(&r) == thar_crc32(0, header, CONTENT_CHECKED) &&
         content->bundle_bytes <= thar_slot_capacity();
}

uint32_t thar_slot_sequence(uint8_t slot) {
  uint32_t highest = 0;
  const uint8_t *cell = header_of(slot) + ACTIVATIONS_AT;
  for (uint32_t i = 0; i < ACTIVATIONS; i++, cell += THAR_SLOT_CELL) {
    const uint32_t sequence = thar_load_u32(cell + 4);
    const bool whole = thar_load_u32(cell) == ACTIVE_MAGIC &&
                       thar_load_u32(cell + 8) == ~sequence &&
                       thar_load_u32(cell + 12) == thar_crc32(0, cell, ACTIVATION_CHECKED);
    highest = whole && sequence > highest ? sequence : highest;
  }
  return highest;
}

/* What is not blank was begun, or has succeeded: only that moment writes there, torn or not. */
static bool is_marked(uint8_t slot, uint32_t boot, uint32_t half) {
  const uint8_t *pair = header_of(slot) + BOOTS_AT + 2 * boot * THAR_SLOT_CELL;
  return !thar_flash_is_blank(pair + half * THAR_SLOT_CELL, THAR_SLOT_CELL);
}

uint8_t thar_slot_failures(uint8_t slot) {
  uint8_t failures = 0;
  for (uint32_t boot = 0; boot < BOOTS; boot++) {
    if (is_marked(slot, boot, 1)) {
      failures = 0;
    } else if (is_marked(slot, boot, 0)) {
      failures++;
    }
  }
  return failures;
}

bool thar_slot_has_booted(uint8_t slot) {
  for (uint32_t boot = 0; boot < BOOTS; boot++) {
    if (is_marked(slot, boot, 1)) {
      return true;
    }
  }
  return false;
}

/* ---- writing ---- */

static bool erase(uint8_t slot, uint32_t bytes) {
  for (uint32_t at = 0; at < bytes; at += thar_port_flash_about()->page_bytes) {
    if (!thar_flash_erase(start_of(slot) + at)) {
      return false;
    }
  }
  return true;
}

static bool write_content(uint8_t slot, const thar_slot_content *content) {
  uint8_t bytes[CONTENT_BYTES];
  memset(bytes, 0, sizeof bytes);
  thar_writer w = thar_writer_of(bytes, sizeof bytes);
  thar_put_u32(&w, CONTENT_MAGIC);
  thar_put_u32(&w, content->bundle_bytes);
  thar_put_u32(&w, content->crc32);
  thar_put_id32(&w, content->identity);
  thar_put_u32(&w, thar_crc32(0, bytes, CONTENT_CHECKED));
  return thar_flash_program(start_of(slot), bytes, sizeof bytes);
}

bool thar_slot_begin(uint8_t slot, const thar_slot_content *content) {
  const uint32_t page = thar_port_flash_about()->page_bytes;
  return erase(slot, header_bytes() + round_up(content->bundle_bytes, page)) &&
         write_content(slot, content);
}

bool thar_slot_resume(uint8_t slot, uint32_t *received) {
  const uint32_t page = thar_port_flash_about()->page_bytes;
  thar_slot_content content;
  *received = 0;
  if (!thar_slot_content_of(slot, &content)) {
    return false;
  }
  for (uint32_t at = round_up(content.bundle_bytes, page); at > 0; at -= page) {
    if (!thar_flash_is_blank(thar_slot_bundle(slot) + at - page, page)) {
      *received = at - page;
      return thar_port_flash_erase(start_of(slot) + header_bytes() + *received);
    }
  }
  return true;
}

bool thar_slot_write(uint8_t slot, uint32_t offset, const uint8_t *bytes, uint32_t size) {
  const uint32_t page = thar_port_flash_about()->page_bytes;
  uint32_t at = start_of(slot) + header_bytes() + offset;
  /* A page at a time: what a cut tears is then in the last page that is not blank. */
  for (const uint8_t *end = bytes + size; bytes < end;) {
    const uint32_t left = (uint32_t)(end - bytes), room = page - at % page;
    const uint32_t part = left < room ? left : room;
    if (!thar_flash_program(at, bytes, part)) {
      return false;
    }
    at += part;
    bytes += part;
  }
  return true;
}

bool thar_slot_forget(uint8_t slot) {
  return thar_port_flash_erase(start_of(slot));
}

/* Into the first of `count` cells, `step` bytes apart, that is blank and takes it. A cell can look
 * blank and not take anything: flash with check bits, after a cut. */
static bool mark(uint32_t at, uint32_t count, uint32_t step, const uint8_t cell[THAR_SLOT_CELL]) {
  for (uint32_t i = 0; i < count; i++, at += step) {
    if (thar_flash_is_blank(thar_port_flash_about()->bytes + at, step) &&
        thar_flash_program(at, cell, THAR_SLOT_CELL)) {
      return true;
    }
  }
  return false;
}

static bool mark_active(uint8_t slot, uint32_t sequence) {
  uint8_t cell[THAR_SLOT_CELL];
  thar_writer w = thar_writer_of(cell, sizeof cell);
  thar_put_u32(&w, ACTIVE_MAGIC);
  thar_put_u32(&w, sequence);
  thar_put_u32(&w, ~sequence);
  thar_put_u32(&w, thar_crc32(0, cell, ACTIVATION_CHECKED));
  return mark(start_of(slot) + ACTIVATIONS_AT, ACTIVATIONS, THAR_SLOT_CELL, cell);
}

static bool mark_begun(uint8_t slot) {
  uint8_t begun[THAR_SLOT_CELL] = {0};
  return mark(start_of(slot) + BOOTS_AT, BOOTS, 2 * THAR_SLOT_CELL, begun);
}

/* Most cells are; others that took nothing are what cuts have spoilt. Else the flash is to blame. */
static bool used_up(const uint8_t *cells, uint32_t count, uint32_t step) {
  uint32_t used = 0;
  for (uint32_t i = 0; i < count; i++, cells += step) {
    used += !thar_flash_is_blank(cells, step);
  }
  return used > count / 2;
}

/* The header once more, with no marks but this activation. A cut in here leaves a slot that holds
 * nothing or is not active: the other slot's bundle or the image's own boots. */
static bool renew(uint8_t slot, uint32_t sequence) {
  thar_slot_content content;
  return thar_slot_content_of(slot, &content) && erase(slot, header_bytes()) &&
         write_content(slot, &content) && (sequence == 0 || mark_active(slot, sequence));
}

bool thar_slot_activate(uint8_t slot, uint32_t sequence) {
  return mark_active(slot, sequence) ||
         (used_up(header_of(slot) + ACTIVATIONS_AT, ACTIVATIONS, THAR_SLOT_CELL) &&
          renew(slot, sequence));
}

bool thar_slot_begin_boot(uint8_t slot) {
  return mark_begun(slot) || (used_up(header_of(slot) + BOOTS_AT, BOOTS, 2 * THAR_SLOT_CELL) &&
                              renew(slot, thar_slot_sequence(slot)) && mark_begun(slot));
}

bool thar_slot_end_boot(uint8_t slot) {
  uint8_t done[THAR_SLOT_CELL] = {0};
  uint32_t boot = BOOTS;
  while (boot > 0 && !is_marked(slot, boot - 1, 0)) {
    boot--;
  }
  /* No other could be begun: what is written stays. */
  if (boot == 0 || is_marked(slot, boot - 1, 1)) {
    return false;
  }
  const uint32_t at = start_of(slot) + BOOTS_AT + (2 * boot - 1) * THAR_SLOT_CELL;
  return thar_flash_program(at, done, sizeof done);
}
