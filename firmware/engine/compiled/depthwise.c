/*
 * Depthwise convolution over time, four neighbouring channels at once: their weights are spread to
 * 16 bits once, then every output along time is a loop over taps of one load and four products.
 * A channel count that is no multiple of four ends with a group that overlaps the one before.
 */
#include "depthwise.h"

#include "scaling.h"

static const uint8_t *group_of(thar_depthwise_pass *pass, const uint8_t *data, uint32_t *spread,
                               int32_t out_zero) {
  const thar_packed_channel *channel = (const thar_packed_channel *)(const void *)data;
  for (uint32_t i = 0; i < 4u; ++i) {
    thar_scaling s =
        thar_scaling_of(channel[i].head, channel[i].multiplier, out_zero, pass->linear == 0u);
    pass->bias[i] = channel[i].head & ~0xFF;
    pass->scale[i][0] = s.multiplier;
    pass->scale[i][1] = s.base;
    pass->shift[i] = s.shift;
  }
  data += 4u * sizeof *channel;
  for (uint32_t t = 0; t < pass->taps; ++t, data += 4) {
    uint32_t four = thar_load4(data);
    *spread++ = (four << 8) & 0xFF00FF00u;
    *spread++ = four & 0xFF00FF00u;
  }
  return data;
}

void thar_depthwise(const thar_op *op, const uint8_t *model, uint8_t *arena) {
  thar_pad(op, arena);
  uint32_t depth = op->in_c;
  const int8_t *input = (const int8_t *)(arena + op->input) - op->pad_w * depth;
  int8_t *out = (int8_t *)(arena + op->output);
  uint32_t *spread = (uint32_t *)(void *)(arena + op->other);
  const uint8_t *data = model + op->data;
  thar_depthwise_pass pass;
  pass.weights = spread;
  pass.in_step = op->stride_w * depth;
  pass.out_step = depth;
  pass.taps = op->kernel_w;
  pass.skip = THAR_DEPTHWISE_TAPS - pass.taps;
  pass.linear = op->low < op->out_zero;
  for (uint32_t c = 0; c < depth; c += 4u) {
    uint32_t first = c + 4u <= depth ? c : depth - 4u;
    data = group_of(&pass, data, spread, op->out_zero);
    pass.end = out + first + op->out_w * depth;
    uint32_t step = op->dilation_w * depth;
    if (THAR_SIMD && pass.taps <= THAR_DEPTHWISE_TAPS) {
      thar_depthwise_run(&pass, input + first, out + first, step);
    } else {
      thar_depthwise_run_any(&pass, input + first, out + first, step);
    }
  }
}

void thar_depthwise_run_any(const thar_depthwise_pass *pass, const int8_t *x, int8_t *out,
                            uint32_t tap_step) {
  for (; out != pass->end; out += pass->out_step, x += pass->in_step) {
    const int8_t *from = x;
    const uint32_t *w = pass->weights;
    int32_t t[4] = {pass->bias[0], pass->bias[1], pass->bias[2], pass->bias[3]};
    for (uint32_t tap = pass->taps; tap != 0u; --tap, from += tap_step, w += 2) {
      uint32_t four = thar_load4(from), even = thar_even(four), odd = thar_odd(four);
      t[0] = thar_mla_low(even, w[0], t[0]);
      t[1] = thar_mla_low(odd, w[1], t[1]);
      t[2] = thar_mla_high(even, w[0], t[2]);
      t[3] = thar_mla_high(odd, w[1], t[3]);
    }
    for (uint32_t i = 0; i < 4u; ++i) {
      thar_scaling s = {pass->scale[i][0], pass->scale[i][1], pass->shift[i]};
      out[i] = (int8_t)thar_scaled(t[i], s, pass->linear == 0u);
    }
  }
}
