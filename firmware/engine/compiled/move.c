/* Values that only change places: an image into a larger one, rows of several inputs into one. */
#include <string.h>

#include "plan.h"

void thar_pad_image(const thar_op *op, const uint8_t *model, uint8_t *arena) {
  const thar_pad_data *data = (const thar_pad_data *)(const void *)(model + op->data);
  const uint8_t *in = arena + op->input;
  uint8_t *out = arena + op->output;
  uint32_t row = (uint32_t)op->out_w * op->out_c;
  memset(out, data->value, op->out_h * row);
  out += op->pad_h * row + (uint32_t)op->pad_w * op->out_c + (uint32_t)data->front;
  bool whole = op->in_c == op->out_c; /* a row at once, else a sample */
  uint32_t bytes = whole ? (uint32_t)op->in_w * op->in_c : op->in_c;
  uint32_t pieces = whole ? 1u : op->in_w;
  for (uint32_t y = 0; y < op->in_h; ++y, out += row) {
    for (uint32_t i = 0; i < pieces; ++i, in += bytes) memmove(out + i * op->out_c, in, bytes);
  }
}

void thar_concatenation(const thar_op *op, const uint8_t *model, uint8_t *arena) {
  const thar_concatenation_data *data =
      (const thar_concatenation_data *)(const void *)(model + op->data);
  uint8_t *out = arena + op->output;
  for (uint32_t i = 0; i < data->count; ++i) {
    const uint8_t *in = arena + data->part[i].offset;
    uint32_t width = data->part[i].width;
    for (uint32_t row = 0; row < op->in_w; ++row) {
      memmove(out + row * op->out_c, in + row * width, width);
    }
    out += width;
  }
}
