/*
 * Residual addition: both inputs on a common scale with 20 bits of headroom, as TFLM does it. With
 * d = input - zero, TFLM's rounded high product of d * 2^20 is that of d * 2^21 in units of 2^32.
 */
#include "arithmetic.h"
#include "plan.h"

typedef struct {
    int32_t multiplier, half, shift;
} rescaling;

static rescaling rescaling_of(const thar_add_data *data, uint32_t i) {
    int32_t shift = -data->shift[i];
    rescaling r = {data->multiplier[i], (int32_t)((1u << shift) >> 1), shift};
    return r;
}

/* x / 2^shift, halves away from zero, for |x| < 2^30 */
THAR_INLINE int32_t divided(int32_t x, const rescaling *r) {
    int32_t away = r->shift > 0 ? x >> 31 : 0;
    return thar_wrapping_add(thar_wrapping_add(x, away), r->half) >> r->shift;
}

THAR_INLINE int32_t rescaled(int32_t twice, const rescaling *r) {
    return divided(thar_mul_top_rounded(twice, r->multiplier), r);
}

void thar_add(const thar_op *op, const uint8_t *model, uint8_t *arena) {
    const thar_add_data *data = (const thar_add_data *)(const void *)(model + op->data);
    const int8_t *first = (const int8_t *)(arena + op->input);
    const int8_t *second = (const int8_t *)(arena + op->other);
    int8_t *out = (int8_t *)(arena + op->output);
    const rescaling a = rescaling_of(data, 0), b = rescaling_of(data, 1), c = rescaling_of(data, 2);
    int32_t first_zero = op->in_zero, second_zero = data->other_zero, out_zero = op->out_zero;
    for (uint32_t left = (uint32_t)op->in_h * op->in_w * op->in_c; left != 0u; --left) {
        int32_t x = rescaled((*first++ - first_zero) * (1 << 21), &a);
        int32_t y = rescaled((*second++ - second_zero) * (1 << 21), &b);
        int32_t twice = (int32_t)((uint32_t)thar_wrapping_add(x, y) << 1);
        int32_t sum = thar_wrapping_add(rescaled(twice, &c), out_zero);
        *out++ = (int8_t)thar_saturate8(sum);
    }
}
