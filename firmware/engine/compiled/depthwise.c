/*
 * Depthwise convolution over time, four neighbouring channels at once: their weights are spread to
 * 16 bits once, then every output along time is a loop over taps of one load and four products.
 * A channel count that is no multiple of four ends with a group that overlaps the one before.
 */
#include "arithmetic.h"
#include "plan.h"

typedef struct {
    thar_packed_scale scale[4];
    int32_t bias[4];
    const uint32_t *weights; /* two words a tap: channels 0 and 2, 1 and 3 */
    uint32_t taps;
    uint32_t step; /* bytes from tap to tap */
} group;

THAR_INLINE void tap(uint32_t x, const uint32_t *w, int32_t acc[4]) {
    uint32_t even = thar_even(x), odd = thar_odd(x);
    acc[0] = thar_mla_low(even, w[0], acc[0]);
    acc[1] = thar_mla_low(odd, w[1], acc[1]);
    acc[2] = thar_mla_high(even, w[0], acc[2]);
    acc[3] = thar_mla_high(odd, w[1], acc[3]);
}

THAR_INLINE uint32_t finish(const group *g, const int32_t acc[4], bool relu) {
    uint32_t word = 0;
    for (uint32_t i = 0; i < 4u; ++i) {
        int32_t t = (int32_t)((uint32_t)acc[i] << 8);
        int32_t q = relu ? thar_packed_relu(t, g->scale[i]) : thar_packed_exact(t, g->scale[i]);
        word |= ((uint32_t)q & 0xFFu) << (8u * i);
    }
    return word;
}

static void group_of(group *g, const uint8_t *data, uint32_t *spread, int32_t out_zero) {
    const thar_packed_channel *channel = (const thar_packed_channel *)(const void *)data;
    for (uint32_t i = 0; i < 4u; ++i) {
        g->scale[i] = thar_packed_scale_of(channel[i].head, channel[i].multiplier, out_zero);
        g->bias[i] = channel[i].head >> 8;
    }
    const uint8_t *w = data + 4u * sizeof *channel;
    for (uint32_t t = 0; t < g->taps; ++t, w += 4) {
        uint32_t four = thar_load4(w);
        spread[2u * t] = thar_even(four);
        spread[2u * t + 1u] = thar_odd(four);
    }
}

static uint32_t output_of(const group *g, const thar_op *op, const int8_t *input, int32_t start,
                          bool relu) {
    int32_t acc[4] = {g->bias[0], g->bias[1], g->bias[2], g->bias[3]};
    const uint32_t *w = g->weights;
    int32_t reach = (int32_t)((uint32_t)(op->kernel_w - 1u) * op->dilation_w);
    if (start >= 0 && start + reach < op->in_w) {
        const int8_t *x = input + (uint32_t)start * op->in_c;
        for (uint32_t t = g->taps; t != 0u; --t) {
            tap(thar_load4(x), w, acc);
            x += g->step;
            w += 2;
        }
    } else {
        uint32_t outside = 0x01010101u * (uint8_t)op->in_zero;
        for (uint32_t t = 0; t < g->taps; ++t) {
            int32_t at = start + (int32_t)(t * op->dilation_w);
            bool inside = at >= 0 && at < op->in_w;
            tap(inside ? thar_load4(input + (uint32_t)at * op->in_c) : outside, w, acc);
            w += 2;
        }
    }
    return finish(g, acc, relu);
}

void thar_depthwise(const thar_op *op, const uint8_t *model, uint8_t *arena) {
    const int8_t *input = (const int8_t *)(arena + op->input);
    int8_t *out = (int8_t *)(arena + op->output);
    uint32_t *spread = (uint32_t *)(void *)(arena + op->other);
    const uint8_t *data = model + op->data;
    group g;
    g.weights = spread;
    g.taps = op->kernel_w;
    g.step = (uint32_t)op->in_c * op->dilation_w;
    bool relu = op->low >= op->out_zero;
    for (uint32_t c = 0; c < op->in_c; c += 4u) {
        uint32_t first = c + 4u <= op->in_c ? c : op->in_c - 4u;
        group_of(&g, data, spread, op->out_zero);
        data += 4u * (sizeof(thar_packed_channel) + g.taps);
        for (uint32_t x = 0; x < op->out_w; ++x) {
            int32_t start = (int32_t)(x * op->stride_w) - op->pad_w;
            uint32_t word = relu ? output_of(&g, op, input + first, start, true)
                                 : output_of(&g, op, input + first, start, false);
            thar_store4(out + x * op->out_c + first, word);
        }
    }
}
