/* The room that the converter left on both sides of a packed kernel's input. */
#include "arithmetic.h"
#include "plan.h"

static void fill(uint8_t *to, uint32_t bytes, int8_t zero) {
  uint32_t four = 0x01010101u * (uint8_t)zero;
  for (; bytes >= 4u; bytes -= 4u, to += 4) thar_store4(to, four);
  for (; bytes != 0u; --bytes) *to++ = (uint8_t)zero;
}

void thar_pad(const thar_op *op, uint8_t *arena) {
  uint32_t depth = op->in_c, before = op->pad_w * depth;
  uint8_t *input = arena + op->input;
  fill(input - before, before, op->in_zero);
  fill(input + op->in_w * depth, (uint32_t)thar_padding_after(op) * depth, op->in_zero);
}
