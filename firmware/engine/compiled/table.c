/* Any function of one int8 value, from a table that the converter made with TFLM's arithmetic. */
#include "plan.h"

void thar_table(const thar_op *op, const uint8_t *model, uint8_t *arena) {
  const uint8_t *table = model + op->data, *in = arena + op->input;
  uint8_t *out = arena + op->output;
  uint32_t left = (uint32_t)op->in_h * op->in_w * op->in_c;
  for (; left >= 4u; left -= 4u, in += 4, out += 4) {
    out[0] = table[in[0]];
    out[1] = table[in[1]];
    out[2] = table[in[2]];
    out[3] = table[in[3]];
  }
  for (; left != 0u; --left) *out++ = table[*in++];
}
