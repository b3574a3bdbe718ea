/* Answers that do not flicker: the mean of the last windows' logits, and a change only after the
 * new class has led for a while. tinyhar/evaluate/smoothing.py does the same, in the same
 * integers. */
#ifndef TINYHAR_SMOOTHING_H
#define TINYHAR_SMOOTHING_H

#include "tinyhar/bytes.h"
#include "tinyhar/config.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint8_t classes;
  uint8_t length; /* windows in the mean, 1..THAR_MAX_SMOOTH_LENGTH */
  uint8_t hold;   /* windows in a row that a new class must lead before it is shown; 1: at once */
  uint8_t filled; /* windows so far, up to length */
  uint8_t next;   /* where the next window goes: the oldest one once filled */
  uint8_t shown;
  uint8_t challenger;
  uint8_t led; /* windows in a row that the challenger has led; 0: there is none */
  int32_t sums[THAR_MAX_CLASSES];
  uint8_t best[THAR_MAX_SMOOTH_LENGTH]; /* each window's own class */
  int8_t logits[THAR_MAX_SMOOTH_LENGTH * THAR_MAX_CLASSES];
} thar_smoothing;

typedef struct {
  uint8_t shown;
  uint8_t confidence; /* 0..255: share of the windows in the mean that agree with it */
} thar_smoothed;

/* The first of the largest. */
uint8_t thar_argmax(const int8_t *logits, uint8_t classes);

/* classes 1..THAR_MAX_CLASSES, length and hold at least 1 and length at most
 * THAR_MAX_SMOOTH_LENGTH: the caller has checked. */
void thar_smoothing_init(thar_smoothing *s, uint8_t classes, uint8_t length, uint8_t hold);
void thar_smoothing_restart(thar_smoothing *s);
thar_smoothed thar_smoothing_push(thar_smoothing *s, const int8_t *logits);

#ifdef __cplusplus
}
#endif

#endif
