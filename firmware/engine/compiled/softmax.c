/*
 * Softmax in fixed point, as TFLM's reference kernel on gemmlowp: exp of a Q5.26 number by a Taylor
 * series around -1/8 and factors for its upper bits, the reciprocal by three Newton-Raphson steps.
 */
#include "arithmetic.h"
#include "plan.h"

static int32_t saturating_shift(int32_t x, int32_t bits) {
  int32_t limit = (int32_t)1 << (31 - bits);
  if (x >= limit) return INT32_MAX;
  return x < 1 - limit ? INT32_MIN : (int32_t)((uint32_t)x << bits);
}

static int32_t product(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  return thar_doubling_high(a, b);
}

static int32_t add(int32_t a, int32_t b) {
  return thar_wrapping_add(a, b);
}

/* exp(a / 2^26) for a <= 0, as Q0.31 */
static int32_t exp_on_negative(int32_t a) {
  static const int32_t factor[7] = {1672461947, 1302514674, 790015084, 290630308,
                                    39332535,   720401,     242}; /* exp(-1/4) ... exp(-16) */
  const int32_t quarter = (int32_t)1 << 24;
  if (a == 0) return INT32_MAX;
  int32_t shifted = (a & (quarter - 1)) - quarter;
  int32_t x = add(saturating_shift(shifted, 5), (int32_t)1 << 28);
  int32_t x2 = product(x, x);
  int32_t x3 = product(x2, x);
  int32_t x4 = product(x2, x2);
  int32_t tail = add(product(add(thar_divide_pot(x4, 2), x3), 715827883), x2);
  int32_t series = add(x, thar_divide_pot(tail, 1));
  int32_t result = add(1895147668, product(series, 1895147668));
  uint32_t remainder = (uint32_t)shifted - (uint32_t)a;
  for (uint32_t i = 0; i < 7u; ++i) {
    if ((remainder >> (24u + i)) & 1u) result = product(result, factor[i]);
  }
  return result;
}

/* 1 / x for Q12.19, normalised to Q0.31; `over` counts the bits that x lies over one. */
static int32_t reciprocal(uint32_t x, int32_t *over) {
  int32_t headroom = 0;
  while (headroom < 31 && (x & 0x80000000u) == 0u) {
    x <<= 1;
    ++headroom;
  }
  *over = 12 - headroom;
  int32_t half = (int32_t)(((x & 0x7FFFFFFFu) >> 1) + 0x40000000u);
  int32_t guess = add(1515870810, product(half, -1010580540));
  for (int i = 0; i < 3; ++i) {
    int32_t error = (int32_t)((uint32_t)(1 << 29) - (uint32_t)product(half, guess));
    guess = add(guess, saturating_shift(product(guess, error), 2));
  }
  return saturating_shift(guess, 1);
}

static int32_t exponential(const thar_scale_data *scale, int32_t difference) {
  int32_t scaled = (int32_t)((uint32_t)difference << scale->shift);
  return exp_on_negative(product(scaled, scale->multiplier));
}

void thar_softmax(const thar_op *op, const uint8_t *model, uint8_t *arena) {
  const thar_scale_data *scale = (const thar_scale_data *)(const void *)(model + op->data);
  const int8_t *input = (const int8_t *)(arena + op->input);
  int8_t *out = (int8_t *)(arena + op->output);
  uint32_t rows = (uint32_t)op->in_h * op->in_w, classes = op->in_c;
  for (; rows != 0u; --rows, input += classes, out += classes) {
    int32_t largest = -128;
    for (uint32_t c = 0; c < classes; ++c) {
      if (input[c] > largest) largest = input[c];
    }
    uint32_t sum = 0;
    for (uint32_t c = 0; c < classes; ++c) {
      int32_t difference = input[c] - largest;
      if (difference < scale->lowest) continue;
      sum += (uint32_t)thar_divide_pot(exponential(scale, difference), 12);
    }
    int32_t over;
    int32_t factor = reciprocal(sum, &over);
    int32_t exponent = thar_clamp(over + 23, 0, 31);
    for (uint32_t c = 0; c < classes; ++c) {
      int32_t difference = input[c] - largest, share = 0;
      if (difference >= scale->lowest) {
        share = thar_divide_pot(product(factor, exponential(scale, difference)), exponent);
      }
      out[c] = (int8_t)thar_clamp(share - 128, -128, 127);
    }
  }
}
