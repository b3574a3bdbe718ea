/* A stream of samples cut into overlapping windows: window k is samples
 * [k * stride, k * stride + window). */
#ifndef TINYHAR_WINDOW_H
#define TINYHAR_WINDOW_H

#include "tinyhar/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int8_t *ring; /* int8[window][channels], the last `window` samples */
  uint16_t window;
  uint16_t stride; /* may exceed window: samples between windows are then passed over */
  uint16_t head;   /* the slot of the next sample, and of the oldest one */
  uint16_t until;  /* samples until a window is complete */
  uint8_t channels;
  uint32_t next_sample;
  uint32_t windows; /* completed since the restart */
} thar_windower;

/* ring: window * channels bytes of the caller's. All of window, stride and channels at least 1. */
void thar_windower_init(thar_windower *w, int8_t *ring, uint16_t window, uint16_t stride,
                        uint8_t channels);
void thar_windower_restart(thar_windower *w);

/* Where to put the next sample's `channels` values, and then: it is there. Returns whether a window
 * is now complete. */
int8_t *thar_windower_slot(thar_windower *w);
bool thar_windower_advance(thar_windower *w);

/* The complete window, oldest sample first; out: window * channels bytes. */
void thar_windower_copy(const thar_windower *w, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
