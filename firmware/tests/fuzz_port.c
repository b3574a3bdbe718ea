#include "fuzz_port.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "tinyhar/port.h"

#define BLANK 0xFF

fuzz_board fuzz;

_Alignas(16) uint8_t fuzz_flash[FUZZ_FLASH_BYTES];
static const thar_port_flash_info flash_info = {fuzz_flash, FUZZ_FLASH_BYTES, FUZZ_PAGE, 4};
static thar_port_info about = {.board = "fuzz", .tick_hz = 1000};
static thar_band band;
static _Alignas(16) uint8_t arena[4096];
static jmp_buf power;
static uint32_t ticks;
static thar_decoder heard;
static uint8_t heard_frame[THAR_OUTBOX_BYTES + 256];

void fuzz_expect(bool right) {
  if (!right) {
    abort();
  }
}

const thar_band *fuzz_band(void) {
  return &band;
}

/* ---- flash ---- */

const thar_port_flash_info *thar_port_flash_about(void) {
  return &flash_info;
}

/* True: the power goes in the middle of this operation. */
static bool cut(void) {
  if (fuzz.cut_after < 0) {
    return false;
  }
  return fuzz.cut_after-- == 0;
}

bool thar_port_flash_erase(uint32_t at) {
  fuzz_expect(at % FUZZ_PAGE == 0 && at < FUZZ_FLASH_BYTES);
  if (fuzz.flash_dead) {
    return false;
  }
  const bool torn = cut();
  memset(fuzz_flash + at, BLANK, torn ? FUZZ_PAGE / 2 + 3 : FUZZ_PAGE);
  if (torn) {
    longjmp(power, 1);
  }
  return true;
}

bool thar_port_flash_program(uint32_t at, const uint8_t *bytes, uint32_t size) {
  fuzz_expect(at % 4 == 0 && size % 4 == 0 && size != 0);
  fuzz_expect(size <= FUZZ_PAGE - at % FUZZ_PAGE && at < FUZZ_FLASH_BYTES);
  if (fuzz.flash_dead) {
    return false;
  }
  for (uint32_t i = 0; i < size; i++) {
    fuzz_expect(fuzz_flash[at + i] == BLANK);
  }
  const bool torn = cut();
  memcpy(fuzz_flash + at, bytes, torn ? size / 2 + 1 : size);
  if (torn) {
    longjmp(power, 1);
  }
  return true;
}

/* ---- the rest of the board ---- */

const thar_port_info *thar_port_about(void) {
  return &about;
}

size_t thar_port_read(uint8_t *buffer, size_t capacity) {
  (void)buffer;
  (void)capacity;
  return 0;
}

/* What a band says is always whole frames, none of them a request. */
void thar_port_write(const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    const thar_frame_event event = thar_decoder_push(&heard, bytes[i]);
    fuzz_expect(event == THAR_FRAME_NONE || event == THAR_FRAME_READY);
    if (event == THAR_FRAME_READY) {
      fuzz.last_type = heard_frame[0];
      fuzz_expect(fuzz.last_type >= THAR_MSG_BOOT);
    }
  }
}

uint32_t thar_port_ticks(void) {
  return ticks++;
}

uint32_t thar_port_milliseconds(void) {
  return ticks;
}

uint32_t thar_port_stack_used(void) {
  return 0;
}

void thar_port_reset(void) {
  longjmp(power, 1);
}

/* ---- what a target does with it ---- */

void fuzz_fresh(void) {
  memset(&fuzz, 0, sizeof fuzz);
  memset(fuzz_flash, BLANK, sizeof fuzz_flash);
  fuzz.cut_after = -1;
  ticks = 0;
  about.bundle = thar_bundle_start;
  about.bundle_bytes = (size_t)(thar_bundle_end - thar_bundle_start);
}

static void listen_afresh(void) {
  thar_decoder_init(&heard, heard_frame, sizeof heard_frame);
}

bool fuzz_boot(uint8_t reset_reason) {
  about.reset_reason = reset_reason;
  about.boot_id++;
  listen_afresh();
  if (setjmp(power) != 0) {
    listen_afresh();
    return false;
  }
  thar_band_init(&band, arena, sizeof arena);
  thar_band_announce(&band);
  return true;
}

bool fuzz_receive(const uint8_t *bytes, size_t size) {
  if (setjmp(power) != 0) {
    listen_afresh();
    return false;
  }
  thar_band_receive(&band, bytes, size);
  return true;
}

static void to_band(void *ctx, const uint8_t *bytes, size_t size) {
  (void)ctx;
  thar_band_receive(&band, bytes, size);
}

bool fuzz_ask(const uint8_t *payload, size_t size) {
  if (setjmp(power) != 0) {
    listen_afresh();
    return false;
  }
  thar_frame_send(payload, size, to_band, NULL);
  return true;
}

void fuzz_fresh_and_booted(void) {
  static thar_band booted;
  static bool known;
  fuzz_fresh();
  if (known) {
    listen_afresh();
    memcpy(&band, &booted, sizeof band);
    return;
  }
  fuzz_expect(fuzz_boot(THAR_RESET_REASON_POWER_ON));
  memcpy(&booted, &band, sizeof booted);
  known = true;
}

void fuzz_expect_alive(void) {
  static const uint8_t flush[] = {0};
  static const uint8_t identify[] = {THAR_MSG_IDENTIFY, 9, THAR_PROTOCOL_VERSION};
  if (!fuzz_receive(flush, sizeof flush)) { /* which ended a RESET */
    fuzz_expect(fuzz_boot(THAR_RESET_REASON_REQUESTED));
  }
  fuzz_expect(fuzz_ask(identify, sizeof identify));
  fuzz_expect(fuzz.last_type == (THAR_MSG_IDENTIFY | THAR_RESPONSE_BIT));
}

void fuzz_expect_whole(void) {
  fuzz.cut_after = -1;
  fuzz.flash_dead = false;
  fuzz_expect(fuzz_boot(THAR_RESET_REASON_POWER_ON));
  fuzz_expect(band.model.problem == NULL);
  fuzz_expect_alive();
}
