#include "tinyhar/teaching.h"

#define BEST 127
#define WORST 128

thar_teaching thar_teaching_of(const thar_bundle *b) {
  thar_teaching t = {0};
  if (b->header.embedding == 0) {
    return t;
  }
  thar_reader r = thar_reader_of(b->teaching, b->header.teaching_bytes);
  t.size = b->header.embedding;
  t.zero = thar_get_i8(&r);
  t.shift = thar_get_u8(&r);
  t.multiplier = thar_get_u16(&r);
  t.precision = (const int8_t *)thar_get_bytes(&r, (size_t)t.size * (t.size + 1u) / 2u);
  t.means = (const int8_t *)thar_get_bytes(&r, (size_t)b->header.classes * t.size);
  return t;
}

void thar_teaching_project(const thar_teaching *t, const int8_t *x, int32_t *projected) {
  const int8_t *p = t->precision;
  for (uint32_t i = 0; i < t->size; i++) {
    const int32_t x_i = x[i] - t->zero;
    int32_t sum = 0;
    for (uint32_t j = 0; j < i; j++, p++) {
      sum += *p * (x[j] - t->zero);
      projected[j] += *p * x_i;
    }
    projected[i] = sum + *p++ * x_i;
  }
}

int64_t thar_teaching_match(const thar_teaching *t, const int8_t *mean, const int32_t *projected) {
  int64_t sum = 0;
  for (uint32_t i = 0; i < t->size; i++) {
    sum += (int64_t)(mean[i] - t->zero) * projected[i];
  }
  return sum;
}

void thar_teaching_logits(const thar_teaching *t, const int64_t *scores, uint8_t classes,
                          int8_t *logits) {
  int64_t best = scores[0];
  for (uint8_t k = 1; k < classes; k++) {
    best = scores[k] > best ? scores[k] : best;
  }
  for (uint8_t k = 0; k < classes; k++) {
    const uint64_t behind = (uint64_t)(best - scores[k]) * t->multiplier;
    const uint64_t steps = (behind + ((uint64_t)1 << (t->shift - 1u))) >> t->shift;
    logits[k] = (int8_t)(steps < BEST + WORST ? BEST - (int32_t)steps : -WORST);
  }
}

void thar_teaching_mean(const thar_teaching *t, const thar_shown *shown, uint16_t window,
                        const int8_t *known, int8_t *mean) {
  /* Above -128, so that all is positive and division rounds alike everywhere. */
  const uint64_t n = shown->windows;
  const uint64_t own = known != NULL ? shown->samples : 1;
  const uint64_t prior = known != NULL ? window : 0;
  const uint64_t all = n * (own + prior);
  for (uint32_t i = 0; i < t->size; i++) {
    const uint64_t above = (uint64_t)(shown->sums[i] + WORST * (int64_t)n);
    const uint64_t was = known != NULL ? (uint64_t)(known[i] + WORST) : 0;
    mean[i] = (int8_t)((int32_t)((own * above + n * prior * was + all / 2) / all) - WORST);
  }
}
