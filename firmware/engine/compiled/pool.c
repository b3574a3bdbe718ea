/* Pooling over time (or over an image), and the mean. */
#include "arithmetic.h"
#include "plan.h"

/* The part of output `o`'s window that lies inside the input. */
typedef struct {
  uint32_t from, to;
} span;

THAR_INLINE span span_of(uint32_t o, uint32_t stride, uint32_t pad, uint32_t kernel,
                         uint32_t size) {
  int32_t start = (int32_t)(o * stride) - (int32_t)pad;
  int32_t end = start + (int32_t)kernel;
  span s = {start > 0 ? (uint32_t)start : 0u, end < (int32_t)size ? (uint32_t)end : size};
  if (end < 0 || s.from > s.to) s.to = s.from;
  return s;
}

/* C's truncating division, so that halves go away from zero. */
THAR_INLINE int32_t rounded_share(int32_t sum, int32_t count) {
  return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

THAR_INLINE int32_t reduced(const thar_op *op, const int8_t *from, span y, span x, bool average) {
  int32_t best = -128, sum = 0;
  for (uint32_t h = y.from; h < y.to; ++h) {
    const int8_t *value = from + (h * op->in_w + x.from) * op->in_c;
    for (uint32_t w = x.from; w < x.to; ++w, value += op->in_c) {
      if (average) {
        sum += *value;
      } else if (*value > best) {
        best = *value;
      }
    }
  }
  int32_t count = (int32_t)((y.to - y.from) * (x.to - x.from));
  if (!average) return best;
  return count > 0 ? rounded_share(sum, count) : 0;
}

/* Sums of four neighbouring channels over `count` samples: 255 of them fit 16 bits. */
static void sums_of_four(const int8_t *value, uint32_t depth, uint32_t count, int32_t sum[4]) {
  for (uint32_t i = 0; i < 4u; ++i) sum[i] = 0;
  while (count != 0u) {
    uint32_t even = 0, odd = 0, some = count < 255u ? count : 255u;
    count -= some;
    for (; some != 0u; --some, value += depth) {
      uint32_t four = thar_load4(value);
      even = thar_add_even(even, four);
      odd = thar_add_odd(odd, four);
    }
    sum[0] += thar_low16(even);
    sum[1] += thar_low16(odd);
    sum[2] += thar_high16(even);
    sum[3] += thar_high16(odd);
  }
}

/* Averages of one output's channels, four at a time; the last four may overlap. */
static void averages(const thar_op *op, const int8_t *from, uint32_t count, int8_t *out) {
  uint32_t depth = op->in_c;
  for (uint32_t c = 0; c < depth; c += 4u) {
    uint32_t first = c + 4u <= depth ? c : depth - 4u;
    int32_t sum[4];
    sums_of_four(from + first, depth, count, sum);
    for (uint32_t i = 0; i < 4u; ++i) {
      int32_t mean = rounded_share(sum[i], (int32_t)count);
      out[first + i] = (int8_t)thar_clamp(mean, op->low, op->high);
    }
  }
}

/* The same of the greatest values. */
static void maxima(const thar_op *op, const int8_t *from, uint32_t count, int8_t *out) {
  uint32_t depth = op->in_c;
  for (uint32_t c = 0; c < depth; c += 4u) {
    uint32_t first = c + 4u <= depth ? c : depth - 4u;
    const int8_t *value = from + first;
    uint32_t best = thar_load4(value);
    for (uint32_t i = count; --i != 0u;) {
      value += depth;
      best = thar_max4(best, thar_load4(value));
    }
    for (uint32_t i = 0; i < 4u; ++i, best >>= 8) {
      out[first + i] = (int8_t)thar_clamp((int8_t)(best & 0xFFu), op->low, op->high);
    }
  }
}

THAR_INLINE void pool(const thar_op *op, uint8_t *arena, bool average) {
  const int8_t *input = (const int8_t *)(arena + op->input);
  int8_t *out = (int8_t *)(arena + op->output);
  for (uint32_t oy = 0; oy < op->out_h; ++oy) {
    span y = span_of(oy, op->stride_h, op->pad_h, op->kernel_h, op->in_h);
    for (uint32_t ox = 0; ox < op->out_w; ++ox) {
      span x = span_of(ox, op->stride_w, op->pad_w, op->kernel_w, op->in_w);
      if (y.to - y.from == 1u && x.to != x.from && op->in_c >= 4u) {
        const int8_t *from = input + (y.from * op->in_w + x.from) * op->in_c;
        (average ? averages : maxima)(op, from, x.to - x.from, out);
        out += op->in_c;
        continue;
      }
      for (uint32_t c = 0; c < op->in_c; ++c) {
        int32_t value = reduced(op, input + c, y, x, average);
        *out++ = (int8_t)thar_clamp(value, op->low, op->high);
      }
    }
  }
}

void thar_max_pool(const thar_op *op, const uint8_t *model, uint8_t *arena) {
  (void)model;
  pool(op, arena, false);
}

void thar_average_pool(const thar_op *op, const uint8_t *model, uint8_t *arena) {
  (void)model;
  pool(op, arena, true);
}

/* Not worth its size at each call. */
static __attribute__((noinline)) int8_t mean_of(const thar_op *op, const thar_scale_data *scale,
                                                int32_t sum) {
  int32_t centred = sum - op->in_w * op->in_zero;
  int32_t mean = thar_rescale(centred, scale->multiplier, scale->shift);
  return (int8_t)thar_clamp(thar_wrapping_add(mean, op->out_zero), op->low, op->high);
}

void thar_mean(const thar_op *op, const uint8_t *model, uint8_t *arena) {
  const thar_scale_data *scale = (const thar_scale_data *)(const void *)(model + op->data);
  const int8_t *input = (const int8_t *)(arena + op->input);
  int8_t *out = (int8_t *)(arena + op->output);
  uint32_t depth = op->in_c, count = op->in_w;
  for (uint32_t outer = 0; outer < op->in_h; ++outer, input += count * depth, out += depth) {
    for (uint32_t c = 0; c < depth && depth >= 4u; c += 4u) {
      uint32_t first = c + 4u <= depth ? c : depth - 4u;
      int32_t sum[4];
      sums_of_four(input + first, depth, count, sum);
      for (uint32_t i = 0; i < 4u; ++i) out[first + i] = mean_of(op, scale, sum[i]);
    }
    for (uint32_t c = 0; c < depth && depth < 4u; ++c) {
      int32_t sum = 0;
      for (uint32_t i = 0; i < count; ++i) sum += input[i * depth + c];
      out[c] = mean_of(op, scale, sum);
    }
  }
}
