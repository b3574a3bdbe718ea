/* Between depthwise.c and the inner loops that it can be built with. */
#ifndef THAR_ENGINE_DEPTHWISE_H
#define THAR_ENGINE_DEPTHWISE_H

#include <stdint.h>

/*
 * Four neighbouring channels, over all outputs along time. The order of the fields is the
 * assembly's.
 */
typedef struct {
  const uint32_t *weights; /* two words a tap: channels 0 and 2, 1 and 3, each times 256 */
  int32_t bias[4];         /* times 256 */
  int32_t scale[4][2];     /* multiplier, base */
  int32_t shift[4];
  uint32_t in_step, out_step; /* bytes from output to output */
  const int8_t *end;          /* of the output */
  uint32_t skip;              /* taps missing to eight */
  uint32_t linear;
  uint32_t jump; /* the assembly's own */
  uint32_t taps;
} thar_depthwise_pass;

/* The most taps that the assembly has. */
enum { THAR_DEPTHWISE_TAPS = 8 };

/* `tap_step`: bytes from tap to tap. */
void thar_depthwise_run(thar_depthwise_pass *pass, const int8_t *x, int8_t *out, uint32_t tap_step);

/* The same for any number of taps. */
void thar_depthwise_run_any(const thar_depthwise_pass *pass, const int8_t *x, int8_t *out,
                            uint32_t tap_step);

#endif
