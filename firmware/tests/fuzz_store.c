/* Boots over flash that holds anything at all: these bytes, with as many of the checks in it made
 * right as the first byte asks for. Whatever is there, a whole model runs afterwards.
 *
 *   flags u8, reset reason u8, failing flash or cut u8, bytes of flash (0xFF behind them) */
#include <string.h>

#include "fuzz_port.h"
#include "tinyhar/checksum.h"
#include "tinyhar/slot.h"

#define CONTENT_CHECKED 44
#define ACTIVATIONS_AT 64
#define SLOT_BYTES (FUZZ_FLASH_BYTES / 2)
#define REPAIR_BUNDLE 1u
#define REPAIR_CONTENT 2u
#define REPAIR_ACTIVATION 4u
#define DEPLOY_TOO 64u
#define ASK_TOO 128u

#define TAUGHT_BYTES 256
#define TAUGHT_HEADER 64
#define TAUGHT_CHECKED 48
#define TAUGHT_ENTRY 96 /* of an embedding of 48 values */

static void store_u32(uint8_t *at, uint32_t value) {
  thar_writer w = thar_writer_of(at, 4);
  thar_put_u32(&w, value);
}

static void repair(uint8_t *slot, unsigned flags) {
  uint8_t *bundle = slot + THAR_SLOT_HEADER_BYTES;
  const uint32_t said = thar_load_u32(slot + 4);
  const uint32_t room = SLOT_BYTES - THAR_SLOT_HEADER_BYTES;
  if ((flags & REPAIR_BUNDLE) != 0 && said <= room) {
    fuzz_repair_bundle(bundle, said);
  }
  if ((flags & REPAIR_CONTENT) != 0) {
    memcpy(slot, "THSL", 4);
    store_u32(slot + CONTENT_CHECKED, thar_crc32(0, slot, CONTENT_CHECKED));
  }
  if ((flags & REPAIR_ACTIVATION) != 0) {
    uint8_t *cell = slot + ACTIVATIONS_AT;
    memcpy(cell, "THAC", 4);
    store_u32(cell + 8, ~thar_load_u32(cell + 4));
    store_u32(cell + 12, thar_crc32(0, cell, 12));
  }
}

/* Of what begins as a snapshot of taught classes. */
static void repair_taught(uint8_t *slot) {
  uint8_t *at = slot + SLOT_BYTES - TAUGHT_BYTES;
  const uint32_t entries = at[46] * TAUGHT_ENTRY;
  if (memcmp(at, "THTG", 4) == 0 && entries <= TAUGHT_BYTES - TAUGHT_HEADER) {
    store_u32(at + 40, thar_crc32(0, at + TAUGHT_HEADER, entries));
    store_u32(at + TAUGHT_CHECKED, thar_crc32(0, at, TAUGHT_CHECKED));
  }
}

/* A bundle into whatever the store takes for its spare slot. */
static void deploy(void) {
  static uint8_t payload[2048];
  thar_bundle b;
  const uint32_t size = (uint32_t)(thar_bundle_end - thar_bundle_start);
  fuzz_expect(thar_bundle_open(&b, thar_bundle_start, size) == NULL);
  const thar_begin_request q = {size, b.header.crc32, b.header.identity, 1, 1, 1,
                                b.header.engine, 1, 1, 1, 1, 1};
  thar_writer w = thar_writer_of(payload, sizeof payload);
  thar_put_u8(&w, THAR_MSG_BEGIN);
  thar_put_u8(&w, 1);
  thar_put_begin_request(&w, &q);
  if (!fuzz_ask(payload, w.at)) {
    return;
  }
  w = thar_writer_of(payload, sizeof payload);
  thar_put_u8(&w, THAR_MSG_CHUNK);
  thar_put_u8(&w, 2);
  thar_put_u32(&w, 0);
  thar_put_bytes(&w, thar_bundle_start, size);
  static const uint8_t commit[] = {THAR_MSG_COMMIT, 3};
  (void)(w.ok && fuzz_ask(payload, w.at) && fuzz_ask(commit, sizeof commit));
}

static void ask_about_slots(void) {
  static const uint8_t asked[][3] = {{THAR_MSG_SLOT, 11, 0},
                                     {THAR_MSG_SLOT, 12, 1},
                                     {THAR_MSG_SLOT, 13, 2},
                                     {THAR_MSG_TAUGHT, 14, 0},
                                     {THAR_MSG_TAUGHT, 15, 1}};
  static const uint8_t rollback[] = {THAR_MSG_ROLLBACK, 16};
  for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
    fuzz_expect(fuzz_ask(asked[i], sizeof asked[i]));
  }
  (void)fuzz_ask(rollback, sizeof rollback);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3) {
    return 0;
  }
  const size_t left = size - 3, most = FUZZ_FLASH_BYTES;
  fuzz_fresh();
  memcpy(fuzz_flash, data + 3, left < most ? left : most);
  repair(fuzz_flash, data[0]);
  repair(fuzz_flash + SLOT_BYTES, data[0] >> 3);
  repair_taught(fuzz_flash);
  repair_taught(fuzz_flash + SLOT_BYTES);
  fuzz.flash_dead = data[2] == 0xFF;
  fuzz.cut_after = data[2] < 0x80 ? data[2] : -1;
  if (fuzz_boot(data[1] % 6)) {
    fuzz_expect(fuzz_band()->model.problem == NULL);
    if ((data[0] & DEPLOY_TOO) != 0) {
      deploy();
    }
    if ((data[0] & ASK_TOO) != 0) {
      ask_about_slots();
    }
  }
  fuzz_expect_whole();
  return 0;
}
