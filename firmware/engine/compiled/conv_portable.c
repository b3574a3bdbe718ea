/* The inner loops of a convolution for processors without 32-bit SIMD. */
#include "conv.h"
#include "scaling.h"

#if !THAR_SIMD

uint32_t *thar_conv_spread(uint32_t *to, const int8_t *a, const int8_t *b, uint32_t quads) {
  for (; quads != 0u; --quads, a += 4, b += 4) {
    uint32_t four_a = thar_load4(a), four_b = thar_load4(b);
    *to++ = thar_even(four_a);
    *to++ = thar_even(four_b);
    *to++ = thar_odd(four_a);
    *to++ = thar_odd(four_b);
  }
  return to;
}

typedef struct {
  int32_t t[2][2]; /* output, channel: sums times 256 */
} sums;

static sums sums_of(const thar_conv_pass *pass, const uint32_t *x, uint32_t words) {
  int32_t both[2] = {pass->both, pass->both}, low[2] = {pass->low, pass->low};
  const uint32_t *w = pass->w;
  for (; words != 0u; --words, ++w, x += 2) {
    uint32_t even = thar_even(*w);
    both[0] = thar_dot2(*w, x[0], both[0]);
    both[1] = thar_dot2(*w, x[1], both[1]);
    low[0] = thar_dot2(even, x[0], low[0]);
    low[1] = thar_dot2(even, x[1], low[1]);
  }
  sums s;
  for (int i = 0; i < 2; ++i) {
    s.t[i][0] = (int32_t)((uint32_t)low[i] << 8);
    s.t[i][1] = (int32_t)((uint32_t)both[i] - (uint32_t)low[i]);
  }
  return s;
}

static void one_pair_of_channels(thar_conv_pass *pass) {
  uint32_t words = 2u * (4u * pass->rounds - pass->skip);
  bool pool = pass->mode == THAR_PASS_RELU_POOL, relu = pass->mode != THAR_PASS_LINEAR;
  int8_t *out = pass->channel;
  for (const uint32_t *x = pass->x; x != pass->end; x += 2u * words) {
    sums s = sums_of(pass, x, words);
    for (int channel = 0; channel < 2; ++channel) {
      thar_scaling scaling = {pass->multiplier[channel], pass->base[channel], pass->shift[channel]};
      int32_t a = s.t[0][channel], b = s.t[1][channel];
      if (pool) {
        out[channel] = (int8_t)thar_scaled(a > b ? a : b, scaling, true);
        continue;
      }
      out[channel] = (int8_t)thar_scaled(a, scaling, relu);
      out[pass->stride + (uint32_t)channel] = (int8_t)thar_scaled(b, scaling, relu);
    }
    out += pool ? pass->stride : 2u * pass->stride;
  }
}

void thar_conv_run(thar_conv_pass *pass) {
  for (; pass->pairs != 0u; --pass->pairs, pass->channel += 2) {
    const thar_packed_channel *channel = (const thar_packed_channel *)(const void *)pass->data;
    for (int i = 0; i < 2; ++i) {
      thar_scaling s = thar_scaling_of(channel[i].head, channel[i].multiplier, pass->zero,
                                       pass->mode != THAR_PASS_LINEAR);
      pass->multiplier[i] = s.multiplier;
      pass->base[i] = s.base;
      pass->shift[i] = s.shift;
    }
    pass->low = channel[0].head >> 8;
    pass->both = thar_wrapping_add(channel[1].head & ~0xFF, pass->low);
    pass->w = (const uint32_t *)(const void *)(channel + 2);
    pass->data = (const uint8_t *)pass->w + pass->weight_bytes;
    one_pair_of_channels(pass);
  }
}

#else
typedef int thar_conv_portable_is_not_built;
#endif
