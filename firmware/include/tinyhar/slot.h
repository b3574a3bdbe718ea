/* One of the two slots for models in flash: a header whose marks are each one program, then the
 * bundle, which runs in place.
 *
 *   0     content: magic u32, bundle_bytes u32, crc32 u32, identity, CRC-32 of these; 64 bytes
 *   64    28 activations of 16 bytes: magic u32, sequence u32, sequence turned over, CRC-32
 *   512   16 pairs of 16 bytes: a boot that was begun, and that it succeeded
 *   1024, or the first page behind it: the bundle
 *   the last pages: what the wearer taught, see taught.h
 *
 * Written from the front and never over anything, 16 bytes being the most that flash programs at
 * once: a cut leaves a mark that counts or one that does not, and the bytes around it alone. A slot
 * without a whole content mark holds nothing; with one it is RECEIVING until it is activated. That
 * mark is written when every page is erased, so that it tells of clean pages, too. When activations
 * or boots have used up their cells, the header is erased and written again with the marks that
 * count: the one moment at which a cut can cost a slot that runs. */
#ifndef TINYHAR_SLOT_H
#define TINYHAR_SLOT_H

#include "tinyhar/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

#define THAR_SLOTS 2
#define THAR_SLOT_CELL 16
#define THAR_SLOT_HEADER_BYTES 1024
#define THAR_SLOT_MOST_FAILURES 3

typedef struct {
  uint32_t bundle_bytes; /* 0: no bundle; the slot says that the image's own is to run */
  uint32_t crc32;
  thar_id32 identity;
} thar_slot_content;

/* The port has flash, and of a shape that these slots can use. All below needs that. */
bool thar_slots_exist(void);

uint32_t thar_slot_capacity(void);
const uint8_t *thar_slot_bundle(uint8_t slot);

/* False: none, or a damaged one. */
bool thar_slot_content_of(uint8_t slot, thar_slot_content *content);
/* Of the last activation; 0: never activated. */
uint32_t thar_slot_sequence(uint8_t slot);
/* Boots that were begun since the last one that succeeded. */
uint8_t thar_slot_failures(uint8_t slot);
bool thar_slot_has_booted(uint8_t slot);

/* All below change flash; false: it failed. */

/* Erases what the bundle needs and notes what will come; also over an older attempt. */
bool thar_slot_begin(uint8_t slot, const thar_slot_content *content);
/* How much of an unfinished bundle is there: whole pages, the last one erased again because what it
 * holds may be torn. */
bool thar_slot_resume(uint8_t slot, uint32_t *received);
/* Bytes of the bundle, offset and size multiples of THAR_SLOT_CELL; read back and compared. */
bool thar_slot_write(uint8_t slot, uint32_t offset, const uint8_t *bytes, uint32_t size);
bool thar_slot_forget(uint8_t slot);
bool thar_slot_activate(uint8_t slot, uint32_t sequence);
bool thar_slot_begin_boot(uint8_t slot);
bool thar_slot_end_boot(uint8_t slot);

#ifdef __cplusplus
}
#endif

#endif
