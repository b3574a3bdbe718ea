/*
 * The handful of instructions that the kernels are made of. Cores with the 32-bit SIMD extension
 * (Cortex-M4, M7, M33, M55) have each as one instruction; elsewhere plain C gives the same bytes.
 * Sums wrap as two's complement does, so that a damaged model stays defined behaviour.
 */
#ifndef THAR_ENGINE_ARITHMETIC_H
#define THAR_ENGINE_ARITHMETIC_H

#include <stdint.h>
#include <string.h>

#ifndef THAR_SIMD /* 0 takes the plain C on any core */
#if defined(__ARM_FEATURE_SIMD32) && defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
#define THAR_SIMD 1
#else
#define THAR_SIMD 0
#endif
#endif
#if THAR_SIMD
#include <arm_acle.h>
#endif

#define THAR_INLINE static inline __attribute__((always_inline))
/* A function of assembly alone: nothing may be made of what it seems not to use. */
#define THAR_NAKED __attribute__((naked, noinline, used))

/* Four bytes from anywhere. */
THAR_INLINE uint32_t thar_load4(const void *p) {
  uint32_t x;
  memcpy(&x, p, sizeof x);
  return x;
}

THAR_INLINE void thar_store4(void *p, uint32_t x) {
  memcpy(p, &x, sizeof x);
}

THAR_INLINE int32_t thar_low16(uint32_t x) {
  return (int16_t)(x & 0xFFFFu);
}
THAR_INLINE int32_t thar_high16(uint32_t x) {
  return (int16_t)(x >> 16);
}

THAR_INLINE int32_t thar_wrapping_add(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a + (uint32_t)b);
}

#if THAR_SIMD

/* Bytes 0 and 2 (even), 1 and 3 (odd), as two signed halves. */
THAR_INLINE uint32_t thar_even(uint32_t x) {
  return (uint32_t)__sxtb16((int32_t)x);
}
THAR_INLINE uint32_t thar_odd(uint32_t x) {
  uint32_t r; /* the compiler does not fold the rotation into the intrinsic */
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(r) : "r"(x));
  return r;
}

/* acc + low*low + high*high */
THAR_INLINE int32_t thar_dot2(uint32_t a, uint32_t b, int32_t acc) {
  return __smlad((int32_t)a, (int32_t)b, acc);
}

THAR_INLINE int32_t thar_mla_low(uint32_t a, uint32_t b, int32_t acc) {
  return __smlabb((int32_t)a, (int32_t)b, acc);
}

THAR_INLINE int32_t thar_mla_high(uint32_t a, uint32_t b, int32_t acc) {
  return __smlatt((int32_t)a, (int32_t)b, acc);
}

/* Both halves of acc plus bytes 0 and 2 (even) or 1 and 3 (odd). */
THAR_INLINE uint32_t thar_add_even(uint32_t acc, uint32_t x) {
  uint32_t r;
  __asm__("sxtab16 %0, %1, %2" : "=r"(r) : "r"(acc), "r"(x));
  return r;
}
THAR_INLINE uint32_t thar_add_odd(uint32_t acc, uint32_t x) {
  uint32_t r;
  __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(r) : "r"(acc), "r"(x));
  return r;
}

/* The greater of each two signed bytes. */
THAR_INLINE uint32_t thar_max4(uint32_t a, uint32_t b) {
  uint32_t r;
  __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(r) : "r"(a), "r"(b));
  return r;
}

/* acc + (a*b >> 32) */
THAR_INLINE int32_t thar_mla_top(int32_t a, int32_t b, int32_t acc) {
  int32_t r;
  __asm__("smmla %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(acc));
  return r;
}

THAR_INLINE int32_t thar_saturate8(int32_t x) {
  int32_t r; /* the intrinsic's type differs between compilers */
  __asm__("ssat %0, #8, %1" : "=r"(r) : "r"(x));
  return r;
}

#else

THAR_INLINE uint32_t thar_halves(uint32_t low, uint32_t high) {
  return (uint32_t)(uint16_t)(int8_t)(uint8_t)low |
         ((uint32_t)(uint16_t)(int8_t)(uint8_t)high << 16);
}

THAR_INLINE uint32_t thar_max4(uint32_t a, uint32_t b) {
  uint32_t greatest = 0;
  for (uint32_t i = 0; i < 32u; i += 8u) {
    uint32_t x = (a >> i) & 0xFFu, y = (b >> i) & 0xFFu;
    greatest |= ((x ^ 0x80u) > (y ^ 0x80u) ? x : y) << i;
  }
  return greatest;
}

THAR_INLINE uint32_t thar_even(uint32_t x) {
  return thar_halves(x & 0xFFu, (x >> 16) & 0xFFu);
}
THAR_INLINE uint32_t thar_odd(uint32_t x) {
  return thar_halves((x >> 8) & 0xFFu, x >> 24);
}

THAR_INLINE uint32_t thar_add_even(uint32_t acc, uint32_t x) {
  uint32_t even = thar_even(x);
  return ((acc + even) & 0xFFFFu) | ((acc & 0xFFFF0000u) + (even & 0xFFFF0000u));
}
THAR_INLINE uint32_t thar_add_odd(uint32_t acc, uint32_t x) {
  return thar_add_even(acc, x >> 8);
}

THAR_INLINE int32_t thar_mla_low(uint32_t a, uint32_t b, int32_t acc) {
  return thar_wrapping_add(acc, thar_low16(a) * thar_low16(b));
}

THAR_INLINE int32_t thar_mla_high(uint32_t a, uint32_t b, int32_t acc) {
  return thar_wrapping_add(acc, thar_high16(a) * thar_high16(b));
}

THAR_INLINE int32_t thar_dot2(uint32_t a, uint32_t b, int32_t acc) {
  return thar_mla_high(a, b, thar_mla_low(a, b, acc));
}

THAR_INLINE int32_t thar_mla_top(int32_t a, int32_t b, int32_t acc) {
  return thar_wrapping_add(acc, (int32_t)(((int64_t)a * b) >> 32));
}

THAR_INLINE int32_t thar_saturate8(int32_t x) {
  return x < -128 ? -128 : x > 127 ? 127 : x;
}

#endif

/* round(a*b / 2^31), as gemmlowp's SaturatingRoundingDoublingHighMul for b >= 0 */
THAR_INLINE int32_t thar_doubling_high(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* x / 2^exponent with halves away from zero, 0 <= exponent <= 31 */
THAR_INLINE int32_t thar_divide_pot(int32_t x, int32_t exponent) {
  uint32_t mask = (1u << exponent) - 1u, negative = (uint32_t)x >> 31;
  return (x >> exponent) + (((uint32_t)x & mask) > (mask >> 1) + negative ? 1 : 0);
}

/* TFLM's MultiplyByQuantizedMultiplier; -31 <= shift <= 30, to the left if positive */
THAR_INLINE int32_t thar_rescale(int32_t x, int32_t multiplier, int32_t shift) {
  int32_t left = shift > 0 ? shift : 0;
  int32_t shifted = (int32_t)((uint32_t)x << left);
  return thar_divide_pot(thar_doubling_high(shifted, multiplier), left - shift);
}

THAR_INLINE int32_t thar_clamp(int32_t x, int32_t low, int32_t high) {
  return x < low ? low : x > high ? high : x;
}

/* round(a*b / 2^32) */
THAR_INLINE int32_t thar_mul_top_rounded(int32_t a, int32_t b) {
#if THAR_SIMD
  int32_t r;
  __asm__("smmulr %0, %1, %2" : "=r"(r) : "r"(a), "r"(b));
  return r;
#else
  return (int32_t)(((int64_t)a * b + (INT64_C(1) << 31)) >> 32);
#endif
}

#endif
