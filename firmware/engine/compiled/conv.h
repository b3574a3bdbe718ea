/* Between conv.c and the inner loops that it can be built with. */
#ifndef THAR_ENGINE_CONV_H
#define THAR_ENGINE_CONV_H

#include <stdint.h>

enum { THAR_PASS_RELU = 0, THAR_PASS_LINEAR = 1, THAR_PASS_RELU_POOL = 2 };

/*
 * All outputs in the scratch, for some pairs of channels. The order of the fields is the
 * assembly's, which loads several at once; it writes those of the first two groups itself.
 */
typedef struct {
  /* one pair of channels: weights, where both sums begin (see conv.c), rounds over its inputs */
  const uint32_t *w;
  int32_t both;
  int32_t low;
  uint32_t rounds; /* of four quads of inputs, the first one perhaps partial */

  int32_t multiplier[2];
  int32_t base[2];
  int32_t shift[2];
  int8_t *out;
  uint32_t stride; /* from one output's channels to the next one's */

  const uint32_t *end; /* of the scratch */
  uint32_t skip;       /* quads missing in the first round, 0..3 */
  uint32_t mode;
  uint32_t jump[2];      /* the assembly's own */
  int32_t zero;          /* the output's zero point */
  uint32_t rounding;     /* 64 with ReLU, else 0: see scaling.h */
  uint32_t lift;         /* 0 with ReLU, else 7 */
  const uint8_t *data;   /* of the next pair of channels */
  const uint32_t *x;     /* the scratch: quads of a0a2, b0b2, a1a3, b1b3 of outputs a and b */
  int8_t *channel;       /* where the next pair of channels begins in the output */
  uint32_t weight_bytes; /* of a pair of channels */
  uint32_t pairs;        /* of channels */
} thar_conv_pass;

void thar_conv_run(thar_conv_pass *pass);

/* A pair of channels of a clustered layer's `data`, as a layer of 16-bit weights has it. */
void thar_conv_expand(uint32_t *to, const uint8_t *data, uint32_t pair, uint32_t quads);

/* `quads` times four inputs of outputs a and b into the scratch; returns its new end. */
uint32_t *thar_conv_spread(uint32_t *to, const int8_t *a, const int8_t *b, uint32_t quads);

#endif
