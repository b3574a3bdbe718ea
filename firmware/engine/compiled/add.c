/* Residual addition: both inputs on a common scale with 20 bits of headroom, as TFLM does it. */
#include "arithmetic.h"
#include "plan.h"

void thar_add(const thar_op *op, const uint8_t *model, uint8_t *arena) {
    const thar_add_data *data = (const thar_add_data *)(const void *)(model + op->data);
    const int8_t *first = (const int8_t *)(arena + op->input);
    const int8_t *second = (const int8_t *)(arena + op->other);
    int8_t *out = (int8_t *)(arena + op->output);
    for (uint32_t left = (uint32_t)op->in_h * op->in_w * op->in_c; left != 0u; --left) {
        int32_t a = (*first++ - op->in_zero) * (1 << 20);
        int32_t b = (*second++ - data->other_zero) * (1 << 20);
        a = thar_rescale(a, data->multiplier[0], data->shift[0]);
        b = thar_rescale(b, data->multiplier[1], data->shift[1]);
        int32_t sum = thar_wrapping_add(a, b);
        sum = thar_rescale(sum, data->multiplier[2], data->shift[2]);
        sum = thar_wrapping_add(sum, op->out_zero);
        *out++ = (int8_t)thar_clamp(sum, op->low, op->high);
    }
}
