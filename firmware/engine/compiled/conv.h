/* Between conv.c and the inner loops that it can be built with. */
#ifndef THAR_ENGINE_CONV_H
#define THAR_ENGINE_CONV_H

#include <stdint.h>

enum { THAR_PASS_RELU = 0, THAR_PASS_LINEAR = 1, THAR_PASS_RELU_POOL = 2 };

/*
 * Two output channels, over all pairs of outputs in the scratch. The order of the fields is the
 * assembly's: it loads the first four and the next eight at once.
 */
typedef struct {
    const uint32_t *w;
    int32_t both; /* where the sum of 256*w1 + w0 begins */
    int32_t low;  /* where the sum of w0 begins */
    uint32_t rounds; /* of four quads of inputs, the first one perhaps partial */
    int32_t multiplier[2];
    int32_t base[2];
    int32_t shift[2];
    int8_t *out;
    uint32_t stride; /* from one output's channels to the next one's */
    const uint32_t *end; /* of the scratch */
    uint32_t skip;       /* quads missing in the first round, 0..3 */
    uint32_t mode;
    uint32_t jump[2]; /* the assembly's own */
} thar_conv_pass;

/* `x` is the scratch: for each quad of inputs a0a2, b0b2, a1a3, b1b3 of outputs a and b. */
void thar_conv_run(thar_conv_pass *pass, const uint32_t *x);

/* `quads` times four inputs of outputs a and b into the scratch; returns its new end. */
uint32_t *thar_conv_spread(uint32_t *to, const int8_t *a, const int8_t *b, uint32_t quads);

#endif
