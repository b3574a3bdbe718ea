/* The model store: which of two slots boots, and how a new bundle gets into the other one.
 *
 * The slot with the highest activation boots; the other one is the spare, where a deployment goes.
 * Going back is an activation of the other slot, so that the slot to be erased next is always one
 * that would not boot. */
#ifndef TINYHAR_STORE_H
#define TINYHAR_STORE_H

#include "tinyhar/slot.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In place of a slot's number: the bundle that the image carries. */
#define THAR_SLOT_OF_IMAGE THAR_SLOTS

typedef struct {
  bool usable;        /* there is flash; without it, only the image's bundle */
  uint8_t set_aside;  /* bit n: slot n did not work out since this boot */
  uint8_t current;    /* a slot whose bundle runs, or THAR_SLOT_OF_IMAGE */
  bool receiving;     /* what follows holds */
  uint32_t received;
  thar_slot_content coming;
} thar_store;

typedef enum {
  THAR_STORE_OK = 0,
  THAR_STORE_NO_ROOM,
  THAR_STORE_FLASH,         /* an erase or a program failed */
  THAR_STORE_NOTHING_THERE, /* no deployment is under way */
  THAR_STORE_OUT_OF_RANGE   /* not whole cells, or beyond the bundle's end */
} thar_store_status;

/* ---- at boot ---- */

/* Looks at flash and chooses. */
void thar_store_open(thar_store *s);
/* What was chosen does not run: sets it aside and chooses again. `for_good`: later boots do not try
 * it either, where flash allows. */
void thar_store_set_aside(thar_store *s, bool for_good);

/* ---- a deployment ---- */

uint8_t thar_store_spare(const thar_store *s);
/* Goes on, where the same was begun before. */
thar_store_status thar_store_begin(thar_store *s, const thar_slot_content *content);
/* Bytes that are there already, or that come too early, change nothing; `received` tells. */
thar_store_status thar_store_write(thar_store *s, uint32_t offset, const uint8_t *bytes,
                                   uint32_t size);
/* Likewise; `from` may lie in flash. */
thar_store_status thar_store_copy(thar_store *s, uint32_t offset, const uint8_t *from,
                                  uint32_t size);
/* The spare slot's bundle, whole or not. */
const uint8_t *thar_store_coming(const thar_store *s);
/* Forgets what came, in flash too. */
thar_store_status thar_store_abort(thar_store *s);
/* From the next boot on, and from now on. */
thar_store_status thar_store_activate(thar_store *s);

/* ---- back ---- */

/* Where a roll back goes: the spare slot, or THAR_SLOT_OF_IMAGE. */
uint8_t thar_store_previous(const thar_store *s);
thar_store_status thar_store_go_back(thar_store *s, uint8_t to);

#ifdef __cplusplus
}
#endif

#endif
