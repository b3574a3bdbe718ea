/*
 * Residual addition: both inputs on a common scale with 20 bits of headroom, as TFLM does it.
 *
 * With d = input - zero, TFLM takes round(d * 2^20 * m / 2^31), which is the rounded upper half of
 * d * 2^21 * m, then shifts with rounding. The input with the larger scale has the factor 1/2, so
 * it is d * 2^19 exactly: the converter puts it first. The other has a factor below 1/2 and a shift
 * of at least one, or the same scale: then twice its value, shifted by one, is the same again.
 */
#include "arithmetic.h"
#include "plan.h"

void thar_add(const thar_op *op, const uint8_t *model, uint8_t *arena) {
  const thar_add_data *data = (const thar_add_data *)(const void *)(model + op->data);
  const int8_t *first = (const int8_t *)(arena + op->input);
  const int8_t *second = (const int8_t *)(arena + op->other);
  int8_t *out = (int8_t *)(arena + op->output);
  bool same = data->shift == 0;
  uint32_t lift = same ? 22u : 21u, shift = same ? 1u : (uint32_t)-data->shift;
  uint32_t out_shift = (uint32_t)-data->out_shift;
  int32_t multiplier = data->multiplier, out_multiplier = data->out_multiplier;
  int32_t half = (int32_t)((1u << shift) >> 1), out_half = (int32_t)((1u << out_shift) >> 1);
  int32_t first_zero = op->in_zero * (1 << 19), out_zero = op->out_zero;
  int32_t second_zero = (int32_t)((uint32_t)data->other_zero << lift);
  const int8_t *end = out + (uint32_t)op->in_h * op->in_w * op->in_c;
  while (out != end) {
    int32_t x = *first++ * (1 << 19) - first_zero;
    int32_t y = (int32_t)((uint32_t)(int32_t)*second++ << lift) - second_zero;
    y = thar_mul_top_rounded(y, multiplier);
    y = (y + (y >> 31) + half) >> shift;
    int32_t sum = thar_mul_top_rounded((x + y) * 2, out_multiplier);
    sum = (sum + (sum >> 31) + out_half) >> out_shift;
    *out++ = (int8_t)thar_saturate8(sum + out_zero);
  }
}
