/* The room that the converter left on both sides of a packed kernel's input. */
#include <string.h>

#include "plan.h"

void thar_pad(const thar_op *op, uint8_t *arena) {
    size_t depth = op->in_c, before = op->pad_w * depth;
    size_t after = (size_t)thar_padding_after(op) * depth;
    uint8_t *input = arena + op->input;
    if (before != 0u) memset(input - before, (uint8_t)op->in_zero, before);
    if (after != 0u) memset(input + op->in_w * depth, (uint8_t)op->in_zero, after);
}
