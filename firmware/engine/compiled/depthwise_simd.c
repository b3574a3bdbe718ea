/*
 * The inner loop of a depthwise convolution for cores with 32-bit SIMD, up to eight taps.
 *
 * r0 input, r1 weights, r2 bytes from tap to tap, r3 and r8 four inputs, r4-r7 sums times 256,
 * r9-r10 four weights times 256, r11 where this output's inputs begin, r12 output, lr the pass.
 */
#include <stddef.h>

#include "arithmetic.h"
#include "depthwise.h"

#if THAR_SIMD

/* A naked function reads its parameters from registers. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* What the assembly below takes for granted. */
#define AT(field, offset) \
  _Static_assert(offsetof(thar_depthwise_pass, field) == (offset), "the assembly's " #field)
AT(bias, 4);
AT(scale, 20);
AT(shift, 52);
AT(in_step, 68);
AT(end, 76);
AT(skip, 80);
AT(linear, 84);
AT(jump, 88);

/* 9 instructions, 36 bytes, 4 products. */
#define TAP                    \
  "ldr.w r3, [r0]\n\t"         \
  "add.w r0, r0, r2\n\t"       \
  "sxtb16 r8, r3, ror #8\n\t"  \
  "sxtb16 r3, r3\n\t"          \
  "ldrd r9, r10, [r1], #8\n\t" \
  "smlabb r4, r3, r9, r4\n\t"  \
  "smlatt r6, r3, r9, r6\n\t"  \
  "smlabb r5, r8, r10, r5\n\t" \
  "smlatt r7, r8, r10, r7\n\t"

THAR_NAKED void thar_depthwise_run(thar_depthwise_pass *pass, const int8_t *x, int8_t *out,
                                   uint32_t tap_step) {
  __asm__(
      "push {r4-r11, lr}\n\t"
      "mov lr, r0\n\t"
      "mov r11, r1\n\t"
      "mov r12, r2\n\t"
      "mov r2, r3\n\t"
      "ldr r1, [lr, #80]\n\t"
      "adr.w r3, 2f\n\t"
      "add r1, r1, r1, lsl #3\n\t"
      "add r3, r3, r1, lsl #2\n\t"
      "add r3, r3, #1\n\t"
      "str r3, [lr, #88]\n\t"

      "1: ldmia.w lr, {r1, r4, r5, r6, r7}\n\t"
      "mov r0, r11\n\t"
      "ldr.w pc, [lr, #88]\n\t"
      ".balign 4\n\t"
      "2:\n\t" TAP TAP TAP TAP TAP TAP TAP TAP
      "ldr r0, [lr, #84]\n\t"
      "add r3, lr, #20\n\t"
      "cbnz r0, 3f\n\t"

      /* ReLU: halves up. */
      "ldmia.w r3!, {r0, r1, r8, r9}\n\t"
      "smmla r4, r4, r0, r1\n\t"
      "smmla r5, r5, r8, r9\n\t"
      "ldmia.w r3!, {r0, r1, r8, r9}\n\t"
      "smmla r6, r6, r0, r1\n\t"
      "smmla r7, r7, r8, r9\n\t"
      "4: ldmia.w r3!, {r0, r1, r8, r9}\n\t"
      "asr r4, r4, r0\n\t"
      "asr r5, r5, r1\n\t"
      "asr r6, r6, r8\n\t"
      "asr r7, r7, r9\n\t"
      "ldmia.w r3, {r0, r1, r8}\n\t"
      "ssat r4, #8, r4\n\t"
      "ssat r5, #8, r5\n\t"
      "ssat r6, #8, r6\n\t"
      "ssat r7, #8, r7\n\t"
      "bfi r4, r5, #8, #8\n\t"
      "bfi r6, r7, #8, #8\n\t"
      "pkhbt r4, r4, r6, lsl #16\n\t"
      "str r4, [r12]\n\t"
      "add r11, r11, r0\n\t"
      "add r12, r12, r1\n\t"
      "cmp r12, r8\n\t"
      "bne 1b\n\t"
      "pop {r4-r11, pc}\n\t"

      /* Linear: halves away from zero. */
      "3: asr r4, r4, #7\n\t"
      "asr r5, r5, #7\n\t"
      "asr r6, r6, #7\n\t"
      "asr r7, r7, #7\n\t"
      "ldmia.w r3!, {r0, r1, r8, r9}\n\t"
      "smmulr r4, r4, r0\n\t"
      "smmulr r5, r5, r8\n\t"
      "add r4, r4, r4, asr #31\n\t"
      "add r5, r5, r5, asr #31\n\t"
      "add r4, r4, r1\n\t"
      "add r5, r5, r9\n\t"
      "ldmia.w r3!, {r0, r1, r8, r9}\n\t"
      "smmulr r6, r6, r0\n\t"
      "smmulr r7, r7, r8\n\t"
      "add r6, r6, r6, asr #31\n\t"
      "add r7, r7, r7, asr #31\n\t"
      "add r6, r6, r1\n\t"
      "add r7, r7, r9\n\t"
      "b 4b\n\t");
}

#else
typedef int thar_depthwise_simd_is_not_built;
#endif
