#include "tinyhar/window.h"

#include <string.h>

void thar_windower_init(thar_windower *w, int8_t *ring, uint16_t window, uint16_t stride,
                        uint8_t channels) {
  w->ring = ring;
  w->window = window;
  w->stride = stride;
  w->channels = channels;
  thar_windower_restart(w);
}

void thar_windower_restart(thar_windower *w) {
  w->head = 0;
  w->until = w->window;
  w->next_sample = 0;
  w->windows = 0;
}

int8_t *thar_windower_slot(thar_windower *w) {
  return w->ring + (size_t)w->head * w->channels;
}

bool thar_windower_advance(thar_windower *w) {
  w->head = (uint16_t)(w->head + 1 == w->window ? 0 : w->head + 1);
  w->next_sample++;
  w->until--;
  if (w->until != 0) {
    return false;
  }
  w->until = w->stride;
  w->windows++;
  return true;
}

void thar_windower_copy(const thar_windower *w, int8_t *out) {
  const size_t all = (size_t)w->window * w->channels;
  const size_t newest = (size_t)w->head * w->channels;
  memcpy(out, w->ring + newest, all - newest);
  memcpy(out + (all - newest), w->ring, newest);
}
