/*
 * The inner loops of a convolution for cores with 32-bit SIMD, in assembly: a compiler spills where
 * these need all fourteen registers, and does not load several words at once.
 *
 * r0 scratch, r1 weights, r2-r3 weight words, r4-r5 sums of both channels for outputs a and b,
 * r6-r7 the low channel's, r8-r11 inputs, r12 rounds left, lr the pass from its fifth field on.
 */
#include <stddef.h>

#include "arithmetic.h"
#include "conv.h"

#if THAR_SIMD

/* A naked function reads its parameters from registers. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* What the assembly below takes for granted. */
#define AT(field, offset) \
  _Static_assert(offsetof(thar_conv_pass, field) == 16 + (offset), "the assembly's " #field)
AT(w, -16);
AT(both, -12);
AT(low, -8);
AT(rounds, -4);
AT(multiplier, 0);
AT(base, 8);
AT(shift, 16);
AT(out, 24);
AT(stride, 28);
AT(end, 32);
AT(skip, 36);
AT(mode, 40);
AT(jump, 44);
AT(zero, 52);
AT(rounding, 56);
AT(lift, 60);
AT(data, 64);
AT(x, 68);
AT(channel, 72);
AT(weight_bytes, 76);
AT(pairs, 80);

/* Four inputs: 12 instructions, 48 bytes, 16 products. */
#define QUAD                  \
  "ldrd r2, r3, [r1], #8\n\t" \
  "ldmia.w r0!, {r8-r11}\n\t" \
  "smlad r4, r2, r8, r4\n\t"  \
  "smlad r5, r2, r9, r5\n\t"  \
  "sxtb16 r2, r2\n\t"         \
  "smlad r6, r2, r8, r6\n\t"  \
  "smlad r7, r2, r9, r7\n\t"  \
  "smlad r4, r3, r10, r4\n\t" \
  "smlad r5, r3, r11, r5\n\t" \
  "sxtb16 r3, r3\n\t"         \
  "smlad r6, r3, r10, r6\n\t" \
  "smlad r7, r3, r11, r7\n\t"

/* Two channels of output a and of output b, shifted and within int8, as halfwords; and on to the
 * next pair of outputs. */
#define FINISH_PAIR         \
  "asr r6, r6, r9\n\t"      \
  "asr r7, r7, r9\n\t"      \
  "asr r4, r4, r10\n\t"     \
  "asr r5, r5, r10\n\t"     \
  "ssat r6, #8, r6\n\t"     \
  "ssat r7, #8, r7\n\t"     \
  "ssat r4, #8, r4\n\t"     \
  "ssat r5, #8, r5\n\t"     \
  "bfi r6, r4, #8, #8\n\t"  \
  "bfi r7, r5, #8, #8\n\t"  \
  "strh r6, [r11]\n\t"      \
  "strh r7, [r11, r12]\n\t" \
  "add r11, r11, r12, lsl #1\n\t"

#define NEXT               \
  "ldr r2, [lr, #32]\n\t"  \
  "str r11, [lr, #24]\n\t" \
  "cmp r0, r2\n\t"         \
  "bne 1b\n\t"             \
  "ldr r2, [lr, #80]\n\t"  \
  "subs r2, r2, #1\n\t"    \
  "str r2, [lr, #80]\n\t"  \
  "bne 7b\n\t"             \
  "pop {r4-r11, pc}\n\t"

/* r1 r2 multipliers, r3 r8 bases, r9 r10 shifts, r11 out, r12 stride. */
#define SCALING "ldmia.w lr, {r1, r2, r3, r8, r9, r10, r11, r12}\n\t"

THAR_NAKED static void run(void *pass) {
  __asm__(
      "push {r4-r11, lr}\n\t"
      "mov lr, r0\n\t"
      /* Where to enter the round, and where to go after the last. */
      "ldr r2, [lr, #36]\n\t"
      "adr.w r3, 2f\n\t"
      "add r2, r2, r2, lsl #1\n\t"
      "add r3, r3, r2, lsl #4\n\t"
      "add r3, r3, #1\n\t"
      "str r3, [lr, #44]\n\t"
      "ldr r2, [lr, #40]\n\t"
      "adr.w r3, 3f\n\t"
      "cmp r2, #1\n\t"
      "blt 6f\n\t"
      "adr.w r3, 4f\n\t"
      "beq 6f\n\t"
      "adr.w r3, 5f\n\t"
      "6: add r3, r3, #1\n\t"
      "str r3, [lr, #48]\n\t"

      /* The next two channels: r4-r9 multipliers, bases, shifts as scaling.h has them. */
      "7: ldr r1, [lr, #64]\n\t"
      "ldrd r10, r4, [r1], #8\n\t"
      "ldrd r11, r5, [r1], #8\n\t"
      "asr r2, r10, #8\n\t"
      "bic r3, r11, #255\n\t"
      "add r3, r3, r2\n\t"
      "str r1, [lr, #-16]\n\t"
      "strd r3, r2, [lr, #-12]\n\t"
      "and r8, r10, #31\n\t"
      "and r9, r11, #31\n\t"
      "add r0, lr, #52\n\t"
      "ldmia.w r0, {r10, r11, r12}\n\t"
      "sub r8, r8, r12\n\t"
      "sub r9, r9, r12\n\t"
      "mov r12, #1\n\t"
      "lsl r6, r10, r8\n\t"
      "lsl r0, r12, r8\n\t"
      "orr r0, r11, r0, lsr #1\n\t"
      "add r6, r6, r0\n\t"
      "lsl r7, r10, r9\n\t"
      "lsl r0, r12, r9\n\t"
      "orr r0, r11, r0, lsr #1\n\t"
      "add r7, r7, r0\n\t"
      "stmia.w lr, {r4-r9}\n\t"
      "ldrd r0, r2, [lr, #68]\n\t"
      "ldr r3, [lr, #76]\n\t"
      "add r1, r1, r3\n\t"
      "str r1, [lr, #64]\n\t"
      "str r2, [lr, #24]\n\t"
      "add r2, r2, #2\n\t"
      "str r2, [lr, #72]\n\t"

      "1: ldmdb lr, {r1, r4, r6, r12}\n\t"
      "mov r5, r4\n\t"
      "mov r7, r6\n\t"
      "ldr.w pc, [lr, #44]\n\t"
      ".balign 4\n\t"
      "2:\n\t" QUAD QUAD QUAD QUAD
      "subs r12, r12, #1\n\t"
      "bne 2b\n\t"
      "ldr.w pc, [lr, #48]\n\t"

      /* ReLU: halves up. */
      ".balign 4\n\t"
      "3:\n\t" SCALING
      "sub r4, r4, r6\n\t"
      "sub r5, r5, r7\n\t"
      "lsl r6, r6, #8\n\t"
      "lsl r7, r7, #8\n\t"
      "smmla r6, r6, r1, r3\n\t"
      "smmla r7, r7, r1, r3\n\t"
      "smmla r4, r4, r2, r8\n\t"
      "smmla r5, r5, r2, r8\n\t" FINISH_PAIR NEXT

      /* Linear: halves away from zero. */
      ".balign 4\n\t"
      "4:\n\t" SCALING
      "sub r4, r4, r6\n\t"
      "sub r5, r5, r7\n\t"
      "lsl r6, r6, #1\n\t"
      "lsl r7, r7, #1\n\t"
      "asr r4, r4, #7\n\t"
      "asr r5, r5, #7\n\t"
      "smmulr r6, r6, r1\n\t"
      "smmulr r7, r7, r1\n\t"
      "smmulr r4, r4, r2\n\t"
      "smmulr r5, r5, r2\n\t"
      "add r6, r6, r6, asr #31\n\t"
      "add r7, r7, r7, asr #31\n\t"
      "add r4, r4, r4, asr #31\n\t"
      "add r5, r5, r5, asr #31\n\t"
      "add r6, r6, r3\n\t"
      "add r7, r7, r3\n\t"
      "add r4, r4, r8\n\t"
      "add r5, r5, r8\n\t" FINISH_PAIR NEXT

      /* ReLU and the larger of the two outputs: scaling keeps their order. */
      ".balign 4\n\t"
      "5:\n\t" SCALING
      "sub r4, r4, r6\n\t"
      "sub r5, r5, r7\n\t"
      "cmp r6, r7\n\t"
      "it lt\n\t"
      "movlt r6, r7\n\t"
      "cmp r4, r5\n\t"
      "it lt\n\t"
      "movlt r4, r5\n\t"
      "lsl r6, r6, #8\n\t"
      "smmla r6, r6, r1, r3\n\t"
      "smmla r4, r4, r2, r8\n\t"
      "asr r6, r6, r9\n\t"
      "asr r4, r4, r10\n\t"
      "ssat r6, #8, r6\n\t"
      "ssat r4, #8, r4\n\t"
      "bfi r6, r4, #8, #8\n\t"
      "strh r6, [r11]\n\t"
      "add r11, r11, r12\n\t" NEXT);
}

void thar_conv_run(thar_conv_pass *pass) {
  run(pass->multiplier);
}

THAR_NAKED uint32_t *thar_conv_spread(uint32_t *to, const int8_t *a, const int8_t *b,
                                      uint32_t quads) {
  __asm__(
      "push {r4-r9}\n\t"
      "1: ldr r4, [r1], #4\n\t"
      "ldr r5, [r2], #4\n\t"
      "sxtb16 r6, r4\n\t"
      "sxtb16 r7, r5\n\t"
      "sxtb16 r8, r4, ror #8\n\t"
      "sxtb16 r9, r5, ror #8\n\t"
      "stmia r0!, {r6-r9}\n\t"
      "subs r3, r3, #1\n\t"
      "bne 1b\n\t"
      "pop {r4-r9}\n\t"
      "bx lr\n\t");
}

#else
typedef int thar_conv_simd_is_not_built;
#endif
