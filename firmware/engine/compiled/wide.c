/*
 * Convolutions that the packed kernels cannot hold (sums beyond 24 bits, factors above one, weights
 * of -128, several outputs for each input channel): plain loops with TFLM's rescaling as it is.
 */
#include "arithmetic.h"
#include "plan.h"

/* One output channel at one place; `weights` step from tap to tap by `stride`. */
static int32_t sum_of(const thar_op *op, const int8_t *input, const int8_t *weights, uint32_t depth,
                      uint32_t stride, uint32_t oy, uint32_t ox) {
  int32_t acc = 0;
  for (uint32_t ky = 0; ky < op->kernel_h; ++ky) {
    int32_t y = (int32_t)(oy * op->stride_h + ky * op->dilation_h) - op->pad_h;
    for (uint32_t kx = 0; kx < op->kernel_w; ++kx, weights += stride) {
      int32_t x = (int32_t)(ox * op->stride_w + kx * op->dilation_w) - op->pad_w;
      if (y < 0 || y >= op->in_h || x < 0 || x >= op->in_w) continue;
      const int8_t *from = input + ((uint32_t)y * op->in_w + (uint32_t)x) * op->in_c;
      for (uint32_t c = 0; c < depth; ++c) {
        acc = thar_wrapping_add(acc, (from[c] - op->in_zero) * weights[c]);
      }
    }
  }
  return acc;
}

static void wide(const thar_op *op, const uint8_t *model, uint8_t *arena, bool depthwise) {
  const int8_t *input = (const int8_t *)(arena + op->input);
  int8_t *out = (int8_t *)(arena + op->output);
  const thar_wide_channel *channels = (const thar_wide_channel *)(const void *)(model + op->data);
  const int8_t *weights = (const int8_t *)(const void *)(channels + op->out_c);
  uint32_t depth = depthwise ? 1u : op->in_c;
  uint32_t taps = (uint32_t)op->kernel_h * op->kernel_w;
  uint32_t each = depthwise ? (uint32_t)op->out_c / op->in_c : 1u;
  for (uint32_t y = 0; y < op->out_h; ++y) {
    for (uint32_t x = 0; x < op->out_w; ++x) {
      for (uint32_t c = 0; c < op->out_c; ++c) {
        const thar_wide_channel *channel = &channels[c];
        const int8_t *from = depthwise ? input + c / each : input;
        int32_t acc = sum_of(op, from, weights + c * taps * depth, depth, depth, y, x);
        acc = thar_wrapping_add(acc, channel->bias);
        acc = thar_rescale(acc, channel->multiplier, channel->shift);
        acc = thar_wrapping_add(acc, op->out_zero);
        *out++ = (int8_t)thar_clamp(acc, op->low, op->high);
      }
    }
  }
}

void thar_conv_wide(const thar_op *op, const uint8_t *model, uint8_t *arena) {
  wide(op, model, arena, false);
}

void thar_depthwise_wide(const thar_op *op, const uint8_t *model, uint8_t *arena) {
  wide(op, model, arena, true);
}
