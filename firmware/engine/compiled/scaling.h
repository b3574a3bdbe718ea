/*
 * The packed kernels' rescaling: TFLM's two roundings in as few steps as give the same bytes.
 *
 * TFLM computes x = floor((acc*m + 2^30) / 2^31), then x / 2^e with halves away from zero, then
 * adds the zero point. Below, t = acc * 256.
 *
 * Where a ReLU cuts everything below zero, halves may as well go up. Then nested floors make it one
 * product and one shift, with s = e + 7:
 *     ((t*m >> 32) + base) >> s,   base = zero * 2^s + 2^(s-1) + 64   (no 2^(s-1) when e = 0)
 *
 * Otherwise x itself is needed, as round(t/128 * m / 2^32), less one where it is negative:
 *     (x - (x < 0) + base) >> e,   base = zero * 2^e + 2^(e-1),   e >= 1
 */
#ifndef THAR_ENGINE_SCALING_H
#define THAR_ENGINE_SCALING_H

#include <stdbool.h>

#include "arithmetic.h"
#include "plan.h"

typedef struct {
  int32_t multiplier;
  int32_t base;
  int32_t shift;
} thar_scaling;

THAR_INLINE thar_scaling thar_scaling_of(int32_t head, int32_t multiplier, int32_t out_zero,
                                         bool relu) {
  uint32_t shift = (uint32_t)head & 31u;
  if (!relu) shift -= 7u;
  uint32_t half = (1u << shift) >> 1;
  if (relu) half |= 64u;
  thar_scaling s = {multiplier, (int32_t)(((uint32_t)out_zero << shift) + half), (int32_t)shift};
  return s;
}

THAR_INLINE int32_t thar_scaled(int32_t t, thar_scaling s, bool relu) {
  if (relu) return thar_saturate8(thar_mla_top(t, s.multiplier, s.base) >> s.shift);
  int32_t x = thar_mul_top_rounded(t >> 7, s.multiplier);
  x = thar_wrapping_add(x, x >> 31);
  return thar_saturate8(thar_wrapping_add(x, s.base) >> s.shift);
}

#endif
