/* What a wearer taught the band, kept in flash beside the model slots.
 *
 * The end of each slot's half holds a snapshot: of everything that was taught to one bundle. The
 * valid one with the highest sequence counts, among those of the bundle that runs; a new one goes
 * where the other one is, and its header is written last, so that a cut leaves the old one.
 *
 *   0     header, 64 bytes: magic u32, sequence u32, bundle identity, CRC-32 of the entries,
 *         embedding u16, entries u8, 0, CRC-32 of these
 *   64    entries: class u8, length of its name u8, windows u16, samples u32, name (32 bytes), 8
 *         bytes of 0, mean int8[embedding], zeros up to a multiple of 16 */
#ifndef TINYHAR_TAUGHT_H
#define TINYHAR_TAUGHT_H

#include "tinyhar/slot.h"

#ifdef __cplusplus
extern "C" {
#endif

#define THAR_TAUGHT_NAME_BYTES 32

/* A view into flash, or of what is to be written there. */
typedef struct {
  uint8_t class_index; /* of the bundle's that was shown again; THAR_NONE: a new one */
  uint8_t name_bytes;  /* of a new one; else 0 */
  uint16_t windows;    /* that it was taught with */
  uint32_t samples;
  const char *name;
  const int8_t *mean; /* int8[embedding] */
} thar_taught_class;

typedef struct {
  uint8_t area; /* of two; THAR_SLOTS: nothing was taught */
  uint8_t count;
  uint16_t embedding;
  thar_id32 bundle;
} thar_taught;

/* How many classes, at most, there is room for; 0: this board keeps none. */
uint8_t thar_taught_room(uint16_t embedding);

/* What was taught to this bundle. */
thar_taught thar_taught_find(const thar_id32 *bundle, uint16_t embedding);
/* Entry below count. */
thar_taught_class thar_taught_get(const thar_taught *t, uint8_t entry);

/* Writes a snapshot with entry `entry` now this one, or without it (NULL), or with one more behind
 * the others (THAR_NONE), and turns `t` into it. False: flash failed, and the old one counts on. */
bool thar_taught_write(thar_taught *t, uint8_t entry, const thar_taught_class *now);
/* Writes one without entries. */
bool thar_taught_clear(thar_taught *t);

#ifdef __cplusplus
}
#endif

#endif
