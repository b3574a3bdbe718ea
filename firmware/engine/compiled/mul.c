/*
 * Products as TFLM's: both inputs centred, one rescaling with two roundings. One channel after the
 * other, because a gate (squeeze-excite) has one factor for all of a channel's samples.
 *
 * With t = 2 * product, TFLM takes x = round(t * m / 2^32), then x / 2^e with halves away from
 * zero; with a shift of at least one that is (x - (x < 0) + 2^(e-1)) >> e.
 */
#include "arithmetic.h"
#include "plan.h"

typedef struct {
  const thar_mul_data *data;
  uint32_t rows, step;
  int32_t zero, out_zero;
} layer;

/* All samples of a channel; a shift within -22..-1 leaves room for the zero point. */
static void channel(const layer *l, const int8_t *in, int8_t *out, int32_t factor) {
  uint32_t step = l->step, shift = (uint32_t)-l->data->shift;
  int32_t multiplier = l->data->multiplier, twice = 2 * factor, offset = -l->zero * twice;
  int32_t base = l->out_zero * (int32_t)(1u << shift) + (int32_t)((1u << shift) >> 1);
  for (uint32_t left = l->rows; left != 0u; --left, in += step, out += step) {
    int32_t x = thar_mul_top_rounded(*in * twice + offset, multiplier);
    x += x >> 31;
    *out = (int8_t)thar_saturate8((x + base) >> shift);
  }
}

static void channel_with_any_shift(const layer *l, const int8_t *in, int8_t *out, int32_t factor) {
  for (uint32_t left = l->rows; left != 0u; --left, in += l->step, out += l->step) {
    int32_t x = thar_rescale((*in - l->zero) * factor, l->data->multiplier, l->data->shift);
    *out = (int8_t)thar_clamp(thar_wrapping_add(x, l->out_zero), -128, 127);
  }
}

void thar_mul(const thar_op *op, const uint8_t *model, uint8_t *arena) {
  const thar_mul_data *data = (const thar_mul_data *)(const void *)(model + op->data);
  layer l = {data, op->in_w, op->in_c, op->in_zero, op->out_zero};
  const int8_t *in = (const int8_t *)(arena + op->input);
  const int8_t *gate = (const int8_t *)(arena + op->other);
  int8_t *out = (int8_t *)(arena + op->output);
  bool fast = data->shift < 0 && data->shift >= -22;
  for (uint32_t c = 0; c < op->in_c; ++c) {
    int32_t factor = gate[c] - data->other_zero;
    (fast ? channel : channel_with_any_shift)(&l, in + c, out + c, factor);
  }
}
