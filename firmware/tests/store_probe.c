/* A whole band on simulated flash, whose power can be cut at any of its operations, behind stdin and
 * stdout. Request: op u8, size u32, payload; response: size u32, payload.
 *
 *   S  page u32, unit u32, bytes: flash becomes these bytes (a snapshot, with what is programmed)
 *   G  -> the same, as it is now
 *   I  bytes: the image's own bundle
 *   A  bytes u32: the arena that the image has for models (at first 4096)
 *   B  reset reason u8: boots -> cut u8, what it says
 *   R  type, seq, body: asks -> cut u8, what it says
 *   P  presses the button -> cut u8, whether it did anything u8
 *   C  after i32, torn u8: the power is cut after so many more operations (-1: never); torn 0: before
 *      the next one, 1: half-way through it, else: with its bits here and there done
 *   N  -> operations since C u32, rules of flash that were broken u32
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tinyhar/band.h"
#include "tinyhar/port.h"

#define BLANK 0xFF
#define MOST_FLASH 65536
#define SNAPSHOT_HEADER 8

static _Alignas(16) uint8_t flash[MOST_FLASH];
static uint8_t programmed[MOST_FLASH]; /* a byte for each byte; FF: not since its erase */
static _Alignas(16) uint8_t image[MOST_FLASH];
static thar_port_flash_info flash_info = {.bytes = flash};
static thar_port_info about = {.board = "simulated", .tick_hz = 1, .bundle = image};
static uint8_t answer[1 << 18];
static size_t answer_size;

static jmp_buf power;
static int32_t cut_after = -1;
static uint8_t torn;
static uint32_t operations, broken_rules;

/* ---- flash ---- */

static uint32_t noise(void) {
  static uint32_t state = 1;
  state = state * 1664525u + 1013904223u;
  return state >> 16;
}

static uint8_t torn_byte(uint8_t before, uint8_t wanted, uint32_t at, uint32_t size) {
  if (torn == 1) {
    const uint8_t mixed = (uint8_t)((wanted & 0x55) | (before & 0xAA));
    return at < size / 2 ? wanted : at == size / 2 ? mixed : before;
  }
  const uint32_t chosen = noise();
  const uint8_t mask = chosen % 3 == 0 ? 0 : chosen % 3 == 1 ? 0xFF : (uint8_t)(chosen >> 4);
  return (uint8_t)((wanted & mask) | (before & (uint8_t)~mask));
}

/* bytes NULL: an erase. */
static void change(uint32_t at, const uint8_t *bytes, uint32_t size) {
  const bool cut = cut_after >= 0 && operations == (uint32_t)cut_after;
  if (cut && torn == 0) {
    longjmp(power, 1);
  }
  operations++;
  for (uint32_t i = 0; i < size; i++) {
    const uint8_t wanted = bytes != NULL ? bytes[i] : BLANK;
    flash[at + i] = cut ? torn_byte(flash[at + i], wanted, i, size) : wanted;
    programmed[at + i] = bytes != NULL || cut ? 0 : BLANK;
  }
  if (cut) {
    longjmp(power, 1);
  }
}

const thar_port_flash_info *thar_port_flash_about(void) {
  return flash_info.size != 0 ? &flash_info : NULL;
}

bool thar_port_flash_erase(uint32_t at) {
  if (at % flash_info.page_bytes != 0 || at >= flash_info.size) {
    broken_rules++;
    return false;
  }
  change(at, NULL, flash_info.page_bytes);
  return true;
}

/* A unit that was torn takes nothing, even where it looks blank: as flash with check bits. */
bool thar_port_flash_program(uint32_t at, const uint8_t *bytes, uint32_t size) {
  const uint32_t unit = flash_info.program_bytes;
  const bool inside = size <= flash_info.size && at <= flash_info.size - size;
  if (!inside || at % unit != 0 || size % unit != 0) {
    broken_rules++;
    return false;
  }
  for (uint32_t i = 0; i < size; i++) {
    if (flash[at + i] != BLANK) {
      broken_rules++;
      return false;
    }
    if (programmed[at + i] != BLANK) {
      return false;
    }
  }
  change(at, bytes, size);
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

void thar_port_write(const uint8_t *bytes, size_t size) {
  if (size > sizeof answer - answer_size) {
    exit(2);
  }
  memcpy(answer + answer_size, bytes, size);
  answer_size += size;
}

uint32_t thar_port_ticks(void) {
  return operations;
}

uint32_t thar_port_milliseconds(void) {
  return operations;
}

uint32_t thar_port_stack_used(void) {
  return 0;
}

void thar_port_reset(void) {
  longjmp(power, 1);
}

/* ---- requests ---- */

static thar_band band;
static _Alignas(16) uint8_t arena[4096];
static size_t arena_bytes = sizeof arena;

static void boot(uint8_t reason) {
  about.reset_reason = reason;
  about.boot_id++;
  thar_band_init(&band, arena, arena_bytes);
  thar_band_announce(&band);
}

static void to_band(void *ctx, const uint8_t *bytes, size_t size) {
  (void)ctx;
  thar_band_receive(&band, bytes, size);
}

static void run(uint8_t op, const uint8_t *in, size_t size) {
  answer[0] = 0;
  answer_size = 1;
  if (setjmp(power) != 0) {
    answer[0] = 1;
    cut_after = -1;
    return;
  }
  if (op == 'B') {
    boot(in[0]);
  } else if (op == 'P') {
    const uint8_t pressed = thar_band_press(&band);
    thar_port_write(&pressed, 1);
  } else {
    thar_frame_send(in, size, to_band, NULL);
  }
}

static void restore(const uint8_t *in, size_t size) {
  const size_t each = (size - SNAPSHOT_HEADER) / 2;
  flash_info.page_bytes = thar_load_u32(in);
  flash_info.program_bytes = thar_load_u32(in + 4);
  flash_info.size = (uint32_t)each;
  memcpy(flash, in + SNAPSHOT_HEADER, each);
  memcpy(programmed, in + SNAPSHOT_HEADER + each, each);
}

static void put_u32(uint32_t value) {
  uint8_t bytes[4];
  thar_writer w = thar_writer_of(bytes, sizeof bytes);
  thar_put_u32(&w, value);
  thar_port_write(bytes, sizeof bytes);
}

static void handle(uint8_t op, const uint8_t *in, size_t size) {
  answer_size = 0;
  switch (op) {
    case 'S':
      restore(in, size);
      break;
    case 'G':
      put_u32(flash_info.page_bytes);
      put_u32(flash_info.program_bytes);
      thar_port_write(flash, flash_info.size);
      thar_port_write(programmed, flash_info.size);
      break;
    case 'I':
      memcpy(image, in, size);
      about.bundle_bytes = size;
      break;
    case 'A':
      arena_bytes = thar_load_u32(in);
      break;
    case 'C':
      cut_after = thar_load_i32(in);
      torn = in[4];
      operations = 0;
      break;
    case 'N':
      put_u32(operations);
      put_u32(broken_rules);
      break;
    default:
      run(op, in, size);
  }
}

int main(void) {
  uint8_t head[5];
  while (fread(head, 1, sizeof head, stdin) == sizeof head) {
    const size_t size = thar_load_u32(head + 1);
    uint8_t *in = malloc(size + 1);
    if (in == NULL || fread(in, 1, size, stdin) != size) {
      return 2;
    }
    handle(head[0], in, size);
    free(in);
    uint8_t bytes[4];
    thar_writer w = thar_writer_of(bytes, sizeof bytes);
    thar_put_u32(&w, (uint32_t)answer_size);
    (void)fwrite(bytes, 1, sizeof bytes, stdout);
    (void)fwrite(answer, 1, answer_size, stdout);
    (void)fflush(stdout);
  }
  return 0;
}
