#include "check.h"
#include "tinyhar/smoothing.h"
#include "tinyhar/window.h"

#define WINDOW 5
#define CHANNELS 2

/* Sample n is {n, -n}; every window must hold the samples that its number says. */
static void windows_of_stride(uint16_t stride) {
  int8_t ring[WINDOW * CHANNELS], out[WINDOW * CHANNELS];
  thar_windower w;
  thar_windower_init(&w, ring, WINDOW, stride, CHANNELS);
  for (int n = 0; n < 60; n++) {
    int8_t *slot = thar_windower_slot(&w);
    slot[0] = (int8_t)n;
    slot[1] = (int8_t)-n;
    const bool due = n + 1 >= WINDOW && (n + 1 - WINDOW) % stride == 0;
    CHECK_EQUAL(thar_windower_advance(&w), due);
    CHECK_EQUAL(w.next_sample, n + 1);
    if (!due) {
      continue;
    }
    thar_windower_copy(&w, out);
    CHECK_EQUAL(w.windows - 1, (n + 1 - WINDOW) / stride);
    for (int i = 0; i < WINDOW; i++) {
      CHECK_EQUAL(out[2 * i], n + 1 - WINDOW + i);
      CHECK_EQUAL(out[2 * i + 1], -(n + 1 - WINDOW + i));
    }
  }
}

static void every_stride(void) {
  for (uint16_t stride = 1; stride <= 2 * WINDOW; stride++) {
    windows_of_stride(stride);
  }
}

static void a_change_is_held_back(void) {
  static thar_smoothing s;
  const int8_t walk[3] = {9, 0, 0}, run[3] = {0, 100, 0}, rest[3] = {0, 0, 127};
  thar_smoothing_init(&s, 3, 1, 3);
  CHECK_EQUAL(thar_smoothing_push(&s, walk).shown, 0);
  CHECK_EQUAL(thar_smoothing_push(&s, run).shown, 0);
  CHECK_EQUAL(thar_smoothing_push(&s, run).shown, 0);
  CHECK_EQUAL(thar_smoothing_push(&s, rest).shown, 0); /* the row is broken */
  CHECK_EQUAL(thar_smoothing_push(&s, run).shown, 0);
  CHECK_EQUAL(thar_smoothing_push(&s, run).shown, 0);
  const thar_smoothed third = thar_smoothing_push(&s, run);
  CHECK_EQUAL(third.shown, 1);
  CHECK_EQUAL(third.confidence, 255);
}

static void sums_forget_old_windows(void) {
  static thar_smoothing s;
  const int8_t low[2] = {-128, 127}, high[2] = {127, -128};
  thar_smoothing_init(&s, 2, 3, 1);
  for (int i = 0; i < 1000; i++) {
    CHECK_EQUAL(thar_smoothing_push(&s, low).shown, 1);
  }
  CHECK_EQUAL(thar_smoothing_push(&s, high).shown, 1);
  const thar_smoothed now = thar_smoothing_push(&s, high);
  CHECK_EQUAL(now.shown, 0);
  CHECK_EQUAL(now.confidence, 2 * 255 / 3);
  CHECK_EQUAL(s.sums[0], 127 + 127 - 128);
}

int main(void) {
  RUN(every_stride);
  RUN(a_change_is_held_back);
  RUN(sums_forget_old_windows);
  return checks_failed;
}
