/* What a port supplies, and all that the core asks of a board. One folder under firmware/ports
 * each; firmware/README.md tells how to add one. */
#ifndef TINYHAR_PORT_H
#define TINYHAR_PORT_H

#include "tinyhar/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const char *board; /* utf-8, at most 64 bytes */
  uint32_t boot_id;  /* changes at every boot */
  uint8_t reset_reason;
  uint16_t instructions_per_tick; /* 0 where a tick is not a fixed number of instructions */
  uint32_t tick_hz;
  uint32_t ram_bytes;   /* of the image, stack reserve included; 0 unknown */
  uint32_t flash_bytes; /* of the image; 0 unknown */
  const uint8_t *bundle; /* 16-aligned; NULL without one */
  size_t bundle_bytes;
} thar_port_info;

/* Filled before the core starts; the same at every call. */
const thar_port_info *thar_port_about(void);

/* Waits (asleep, where the board can) until bytes came or something woke it; 0: nothing came. */
size_t thar_port_read(uint8_t *buffer, size_t capacity);

/* Returns when all is handed to the line, or given up because nobody takes it. */
void thar_port_write(const uint8_t *bytes, size_t size);

/* Counts up at tick_hz and wraps at 2^32; it must not wrap within one inference. */
uint32_t thar_port_ticks(void);

/* Since boot. */
uint32_t thar_port_milliseconds(void);

/* The deepest that the stack has been, in bytes; 0 unknown. */
uint32_t thar_port_stack_used(void);

/* Flash that holds two models beside the image's own (store.h): an area of its own with pages of one
 * size, read like memory because models run in place. What was programmed or erased is read back at
 * once: on a core with a data cache, invalidate it there. */
typedef struct {
  const uint8_t *bytes;   /* where it is read, 16-aligned */
  uint32_t size;          /* an even number of pages: one half is a slot */
  uint32_t page_bytes;    /* erased at once; a multiple of 16, at least 64 */
  uint32_t program_bytes; /* programmed at once: 1, 2, 4, 8 or 16 */
} thar_port_flash_info;

/* The same at every call; NULL: this board keeps no models, and refuses deployments. */
const thar_port_flash_info *thar_port_flash_about(void);

/* One page, `at` its first byte's offset, to 0xFF. False: it failed, or did not take. */
bool thar_port_flash_erase(uint32_t at);

/* Erased bytes only, each once until the next erase; `at` and `size` are multiples of program_bytes
 * and stay in one page; `bytes` lie in RAM and need no alignment. False: it failed. */
bool thar_port_flash_program(uint32_t at, const uint8_t *bytes, uint32_t size);

/* Restarts with reset reason REQUESTED. Does not return. */
void thar_port_reset(void);

#ifdef __cplusplus
}
#endif

#endif
