/*
 * Convolution over time, and anything that is one: 1x1, fully connected.
 *
 * What an output sees is first spread to 16 bits (scratch), two outputs along time interleaved. Two
 * output channels share each 16-bit weight H = 256*w1 + w0: one dual multiply with H gives
 * 256*S1 + S0, one with its low bytes gives S0, and the difference is 256*S1, exactly, as long as
 * the converter has checked that S1 fits 24 bits. So a weight word costs one load and one extension
 * for eight products.
 */
#include "arithmetic.h"
#include "plan.h"

typedef struct {
    const uint32_t *x; /* scratch */
    uint32_t words;    /* weight words a channel pair, two inputs each; even */
    uint32_t channels;
    int32_t out_zero;
} conv_pass;

/* One input value into its place in the scratch of `lanes` outputs. */
THAR_INLINE void place(uint32_t *scratch, uint32_t lanes, uint32_t k, int8_t value) {
    uint32_t word = ((k >> 2) * 2u + (k & 1u)) * lanes;
    uint32_t half = ((k & 2u) != 0u) ? 16u : 0u;
    uint32_t bits = (uint32_t)(uint16_t)value << half;
    scratch[word] = (half != 0u) ? ((scratch[word] & 0xFFFFu) | bits) : bits;
}

/* `count` bytes spread from position `k` on. */
static void spread(uint32_t *scratch, uint32_t lanes, uint32_t k, const int8_t *x, uint32_t count) {
    if ((k & 3u) == 0u) {
        uint32_t *to = scratch + (k >> 1) * lanes;
        for (uint32_t quads = count >> 2; quads != 0u; --quads) {
            uint32_t four = thar_load4(x);
            x += 4;
            to[0] = thar_even(four);
            to[lanes] = thar_odd(four);
            to += 2u * lanes;
        }
        k += count & ~3u;
        count &= 3u;
    }
    for (; count != 0u; --count) place(scratch, lanes, k++, *x++);
}

static void spread_zero(uint32_t *scratch, uint32_t lanes, uint32_t k, int8_t zero,
                        uint32_t count) {
    for (; count != 0u; --count) place(scratch, lanes, k++, zero);
}

/* Everything that output (oy, ox) sees. */
static void gather(const thar_op *op, const int8_t *input, uint32_t oy, uint32_t ox,
                   uint32_t *scratch, uint32_t lanes) {
    uint32_t depth = op->in_c;
    int32_t y0 = (int32_t)(oy * op->stride_h) - op->pad_h;
    int32_t x0 = (int32_t)(ox * op->stride_w) - op->pad_w;
    uint32_t k = 0;
    if (op->in_h == 1u && op->kernel_h == 1u && op->dilation_w == 1u && x0 >= 0 &&
        (uint32_t)x0 + op->kernel_w <= op->in_w) {
        k = (uint32_t)op->kernel_w * depth;
        spread(scratch, lanes, 0, input + (uint32_t)x0 * depth, k);
    } else {
        for (uint32_t ky = 0; ky < op->kernel_h; ++ky) {
            int32_t y = y0 + (int32_t)(ky * op->dilation_h);
            for (uint32_t kx = 0; kx < op->kernel_w; ++kx) {
                int32_t x = x0 + (int32_t)(kx * op->dilation_w);
                if (y < 0 || y >= op->in_h || x < 0 || x >= op->in_w) {
                    spread_zero(scratch, lanes, k, op->in_zero, depth);
                } else {
                    spread(scratch, lanes, k,
                           input + ((uint32_t)y * op->in_w + (uint32_t)x) * depth, depth);
                }
                k += depth;
            }
        }
    }
    spread_zero(scratch, lanes, k, 0, (0u - k) & 3u);
}

THAR_INLINE int32_t scaled(int32_t t, thar_packed_scale scale, bool relu) {
    return relu ? thar_packed_relu(t, scale) : thar_packed_exact(t, scale);
}

/* All channels of two outputs along time; `pool` keeps the larger of the two. */
THAR_INLINE void two_outputs(const conv_pass *pass, const uint8_t *data, int8_t *out, bool relu,
                             bool pool) {
    const uint32_t *w = (const uint32_t *)(const void *)data;
    int8_t *next = out + pass->channels;
    for (uint32_t left = pass->channels; left != 0u;) {
        int32_t head0 = (int32_t)w[0], multiplier0 = (int32_t)w[1];
        int32_t head1 = (int32_t)w[2], multiplier1 = (int32_t)w[3];
        w += 4;
        int32_t low_a = head0 >> 8, low_b = low_a;
        int32_t both_a = thar_wrapping_add(head1 & ~0xFF, low_a), both_b = both_a;
        const uint32_t *x = pass->x;
        for (uint32_t words = pass->words; words != 0u; words -= 2u) {
            uint32_t pair = w[0];
            both_a = thar_dot2(pair, x[0], both_a);
            both_b = thar_dot2(pair, x[1], both_b);
            pair = thar_even(pair);
            low_a = thar_dot2(pair, x[0], low_a);
            low_b = thar_dot2(pair, x[1], low_b);
            pair = w[1];
            both_a = thar_dot2(pair, x[2], both_a);
            both_b = thar_dot2(pair, x[3], both_b);
            pair = thar_even(pair);
            low_a = thar_dot2(pair, x[2], low_a);
            low_b = thar_dot2(pair, x[3], low_b);
            w += 2;
            x += 4;
        }
        int32_t high_a = (int32_t)((uint32_t)both_a - (uint32_t)low_a);
        int32_t high_b = (int32_t)((uint32_t)both_b - (uint32_t)low_b);
        low_a = (int32_t)((uint32_t)low_a << 8);
        low_b = (int32_t)((uint32_t)low_b << 8);
        thar_packed_scale scale = thar_packed_scale_of(head0, multiplier0, pass->out_zero);
        if (pool) {
            *out++ = (int8_t)scaled(low_a > low_b ? low_a : low_b, scale, relu);
        } else {
            *out++ = (int8_t)scaled(low_a, scale, relu);
            *next++ = (int8_t)scaled(low_b, scale, relu);
        }
        if (--left == 0u) break;
        scale = thar_packed_scale_of(head1, multiplier1, pass->out_zero);
        if (pool) {
            *out++ = (int8_t)scaled(high_a > high_b ? high_a : high_b, scale, relu);
        } else {
            *out++ = (int8_t)scaled(high_a, scale, relu);
            *next++ = (int8_t)scaled(high_b, scale, relu);
        }
        --left;
    }
}

/* All channels of a single output. */
static void one_output(const conv_pass *pass, const uint8_t *data, int8_t *out) {
    const uint32_t *w = (const uint32_t *)(const void *)data;
    for (uint32_t left = pass->channels; left != 0u;) {
        int32_t head0 = (int32_t)w[0], multiplier0 = (int32_t)w[1];
        int32_t head1 = (int32_t)w[2], multiplier1 = (int32_t)w[3];
        w += 4;
        int32_t low = head0 >> 8;
        int32_t both = thar_wrapping_add(head1 & ~0xFF, low);
        const uint32_t *x = pass->x;
        for (uint32_t words = pass->words; words != 0u; words -= 2u) {
            both = thar_dot2(w[0], x[0], both);
            low = thar_dot2(thar_even(w[0]), x[0], low);
            both = thar_dot2(w[1], x[1], both);
            low = thar_dot2(thar_even(w[1]), x[1], low);
            w += 2;
            x += 2;
        }
        int32_t high = (int32_t)((uint32_t)both - (uint32_t)low);
        low = (int32_t)((uint32_t)low << 8);
        *out++ = (int8_t)thar_packed_exact(
            low, thar_packed_scale_of(head0, multiplier0, pass->out_zero));
        if (--left == 0u) break;
        *out++ = (int8_t)thar_packed_exact(
            high, thar_packed_scale_of(head1, multiplier1, pass->out_zero));
        --left;
    }
}

void thar_conv(const thar_op *op, const uint8_t *model, uint8_t *arena) {
    const int8_t *input = (const int8_t *)(arena + op->input);
    int8_t *out = (int8_t *)(arena + op->output);
    uint32_t *scratch = (uint32_t *)(void *)(arena + op->other);
    const uint8_t *data = model + op->data;
    uint32_t inputs = (uint32_t)op->kernel_h * op->kernel_w * op->in_c;
    conv_pass pass = {scratch, ((inputs + 3u) >> 2) * 2u, op->out_c, op->out_zero};
    uint32_t width = (uint32_t)op->out_w * op->pool;
    bool relu = op->low >= op->out_zero;
    for (uint32_t y = 0; y < op->out_h; ++y) {
        uint32_t x = 0;
        for (; x + 1u < width; x += 2u) {
            gather(op, input, y, x, scratch, 2);
            gather(op, input, y, x + 1u, scratch + 1, 2);
            if (op->pool == 2u) {
                two_outputs(&pass, data, out, false, true);
                out += op->out_c;
                continue;
            }
            if (relu) {
                two_outputs(&pass, data, out, true, false);
            } else {
                two_outputs(&pass, data, out, false, false);
            }
            out += 2u * op->out_c;
        }
        if (x < width) {
            gather(op, input, y, x, scratch, 1);
            one_output(&pass, data, out);
            out += op->out_c;
        }
    }
}
