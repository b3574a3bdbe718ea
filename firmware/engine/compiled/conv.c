/*
 * Convolution over time, and anything that is one: 1x1, fully connected.
 *
 * What an output sees is first spread to 16 bits (scratch), two outputs along time interleaved. Two
 * output channels share each 16-bit weight H = 256*w1 + w0: one dual multiply with H gives
 * 256*S1 + S0, one with its low bytes gives S0, and the difference is 256*S1, exactly, as long as
 * the converter has checked that S1 fits 24 bits. So a weight word costs one load and one extension
 * for eight products.
 */
#include "conv.h"

#include "kernels.h"
#include "scaling.h"

typedef struct {
  const thar_op *op;
  const uint8_t *data;
  uint32_t *scratch;
  uint32_t quads; /* of inputs */
  bool relu;
  bool clustered;
} layer;

/* Heads and weights of a pair of channels; those of a clustered layer come before the scratch. */
static const uint8_t *pair_of_channels(const layer *l, uint32_t pair) {
  if (!l->clustered) return l->data + pair * (16u + 8u * l->quads);
  uint32_t *to = l->scratch - (4u + 2u * l->quads);
  thar_conv_expand(to, l->data, pair, l->quads);
  return (const uint8_t *)to;
}

/* All channels of `pairs` pairs of outputs, whose inputs are in the scratch. */
static void pairs_of_outputs(const layer *l, uint32_t pairs, int8_t *out) {
  uint32_t channels = l->op->out_c, at_once = l->clustered ? 1u : channels >> 1;
  bool pool = l->op->pool == 2u;
  thar_conv_pass pass;
  pass.rounds = (l->quads + 3u) >> 2;
  pass.stride = channels;
  pass.end = l->scratch + pairs * l->quads * 4u;
  pass.skip = (0u - l->quads) & 3u;
  pass.mode = pool ? THAR_PASS_RELU_POOL : l->relu ? THAR_PASS_RELU : THAR_PASS_LINEAR;
  pass.zero = l->op->out_zero;
  pass.rounding = l->relu ? 64u : 0u;
  pass.lift = l->relu ? 0u : 7u;
  pass.x = l->scratch;
  pass.weight_bytes = 8u * l->quads;
  for (uint32_t pair = 0; pair < channels >> 1; pair += at_once) {
    pass.data = pair_of_channels(l, pair);
    pass.channel = out + 2u * pair;
    pass.pairs = at_once;
    thar_conv_run(&pass);
  }
  if ((channels & 1u) != 0u) {
    /* A last channel without a partner: the scratch, once read, takes both bytes. */
    uint32_t outputs = pool ? pairs : 2u * pairs;
    const int8_t *from = (const int8_t *)l->scratch;
    pass.data = pair_of_channels(l, channels >> 1);
    pass.channel = (int8_t *)l->scratch;
    pass.stride = 2;
    pass.pairs = 1;
    thar_conv_run(&pass);
    out += channels - 1u;
    for (uint32_t i = 0; i < outputs; ++i) out[i * channels] = from[2u * i];
  }
}

/* Four inputs of a single output into the sums of two channels. */
THAR_INLINE void quad(const uint32_t **w, const uint32_t **x, int32_t *both, int32_t *low) {
  uint32_t first, second, x02, x13;
#if THAR_SIMD
  __asm__("ldrd %0, %1, [%2], #8" : "=r"(first), "=r"(second), "+r"(*w) : : "memory");
  __asm__("ldrd %0, %1, [%2], #8" : "=r"(x02), "=r"(x13), "+r"(*x) : : "memory");
#else
  first = (*w)[0], second = (*w)[1], x02 = (*x)[0], x13 = (*x)[1];
  *w += 2;
  *x += 2;
#endif
  *both = thar_dot2(first, x02, *both);
  *low = thar_dot2(thar_even(first), x02, *low);
  *both = thar_dot2(second, x13, *both);
  *low = thar_dot2(thar_even(second), x13, *low);
}

/* All channels of a single output. */
static void one_output(const layer *l, int8_t *out) {
  const uint8_t *data = l->data;
  uint32_t pair = 0;
  for (uint32_t left = l->op->out_c; left != 0u; --left) {
    if (l->clustered) data = pair_of_channels(l, pair++);
    const thar_packed_channel *channel = (const thar_packed_channel *)(const void *)data;
    const uint32_t *w = (const uint32_t *)(const void *)(channel + 2), *x = l->scratch;
    int32_t low = channel[0].head >> 8;
    int32_t both = thar_wrapping_add(channel[1].head & ~0xFF, low);
    uint32_t quads = l->quads;
    for (; quads > 1u; quads -= 2u) {
      quad(&w, &x, &both, &low);
      quad(&w, &x, &both, &low);
    }
    if (quads != 0u) quad(&w, &x, &both, &low);
    int32_t t[2] = {(int32_t)((uint32_t)low << 8), (int32_t)((uint32_t)both - (uint32_t)low)};
    thar_scaling s[2]; /* both before the output is touched: heads may be in the arena */
    for (uint32_t i = 0; i < 2u; ++i) {
      s[i] = thar_scaling_of(channel[i].head, channel[i].multiplier, l->op->out_zero, l->relu);
    }
    *out++ = (int8_t)thar_scaled(t[0], s[0], l->relu);
    if (--left == 0u) return;
    *out++ = (int8_t)thar_scaled(t[1], s[1], l->relu);
    data = (const uint8_t *)w;
  }
}

/* One output's inputs, not interleaved with another's. */
static uint32_t *spread_one(uint32_t *to, const int8_t *x, uint32_t quads) {
  for (; quads != 0u; --quads, x += 4) {
    uint32_t four = thar_load4(x);
    *to++ = thar_even(four);
    *to++ = thar_odd(four);
  }
  return to;
}

void thar_conv(const thar_op *op, const uint8_t *model, uint8_t *arena) {
  thar_pad(op, arena);
  uint32_t depth = op->in_c;
  uint32_t runs = op->dilation_w == 1u ? 1u : op->kernel_w;
  uint32_t quads = ((op->kernel_w / runs) * depth + 3u) >> 2; /* a run */
  bool clustered = THAR_HAS(THAR_CONV_CLUSTERED) && op->kind == THAR_CONV_CLUSTERED;
  layer l = {op, model + op->data, (uint32_t *)(void *)(arena + op->other), runs * quads,
             op->low >= op->out_zero, clustered};
  if (clustered) l.scratch += 4u + 2u * l.quads;
  uint32_t step = op->stride_w * depth, run_step = op->dilation_w * depth;
  const int8_t *x = (const int8_t *)(arena + op->input) - op->pad_w * depth;
  int8_t *out = (int8_t *)(arena + op->output);
  uint32_t left = (uint32_t)op->out_w * op->pool;
  while (left > 1u) {
    uint32_t pairs = left / 2u < op->tile ? left / 2u : op->tile;
    uint32_t *to = l.scratch;
    for (uint32_t i = 0; i < pairs; ++i, x += 2u * step) {
      for (uint32_t run = 0; run < runs; ++run) {
        const int8_t *from = x + run * run_step;
        to = thar_conv_spread(to, from, from + step, quads);
      }
    }
    pairs_of_outputs(&l, pairs, out);
    out += pairs * (op->pool == 2u ? 1u : 2u) * op->out_c;
    left -= 2u * pairs;
  }
  if (left != 0u) {
    uint32_t *to = l.scratch;
    for (uint32_t run = 0; run < runs; ++run) to = spread_one(to, x + run * run_step, quads);
    one_output(&l, out);
  }
}
