#include "tinyhar/smoothing.h"

#include <string.h>

uint8_t thar_argmax(const int8_t *logits, uint8_t classes) {
  uint8_t best = 0;
  for (uint8_t k = 1; k < classes; k++) {
    if (logits[k] > logits[best]) {
      best = k;
    }
  }
  return best;
}

void thar_smoothing_init(thar_smoothing *s, uint8_t classes, uint8_t length, uint8_t hold) {
  s->classes = classes;
  s->length = length;
  s->hold = hold;
  thar_smoothing_restart(s);
}

void thar_smoothing_restart(thar_smoothing *s) {
  s->filled = 0;
  s->next = 0;
  s->shown = 0;
  s->challenger = 0;
  s->led = 0;
  memset(s->sums, 0, sizeof s->sums);
}

static void remember(thar_smoothing *s, const int8_t *logits) {
  int8_t *row = s->logits + (size_t)s->next * s->classes;
  const bool full = s->filled == s->length;
  for (uint8_t k = 0; k < s->classes; k++) {
    s->sums[k] += logits[k] - (full ? row[k] : 0);
    row[k] = logits[k];
  }
  s->best[s->next] = thar_argmax(logits, s->classes);
  s->next = (uint8_t)(s->next + 1 == s->length ? 0 : s->next + 1);
  if (!full) {
    s->filled++;
  }
}

static uint8_t leader(const thar_smoothing *s) {
  uint8_t best = 0;
  for (uint8_t k = 1; k < s->classes; k++) {
    if (s->sums[k] > s->sums[best]) {
      best = k;
    }
  }
  return best;
}

static void challenge(thar_smoothing *s, uint8_t lead) {
  if (lead == s->shown) {
    s->led = 0;
    return;
  }
  s->led = (uint8_t)(s->led != 0 && lead == s->challenger ? s->led + 1 : 1);
  s->challenger = lead;
  if (s->led >= s->hold) {
    s->shown = lead;
    s->led = 0;
  }
}

thar_smoothed thar_smoothing_push(thar_smoothing *s, const int8_t *logits) {
  const bool first = s->filled == 0;
  remember(s, logits);
  if (first) {
    s->shown = leader(s);
  } else {
    challenge(s, leader(s));
  }
  uint32_t agree = 0;
  for (uint8_t i = 0; i < s->filled; i++) {
    agree += s->best[i] == s->shown;
  }
  const thar_smoothed result = {s->shown, (uint8_t)(agree * 255u / s->filled)};
  return result;
}
