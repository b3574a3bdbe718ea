/* The checks that make an invoke safe: every offset, size and shift of an operator. */
#include "kernels.h"
#include "plan.h"

/* Whether any kernel is there that the checks of the same name are for. */
#define CONVOLVES (THAR_HAS(THAR_CONV) || THAR_HAS(THAR_CONV_CLUSTERED))
#define WIDE (THAR_HAS(THAR_CONV_WIDE) || THAR_HAS(THAR_DEPTHWISE_WIDE))
#define SCALED (THAR_HAS(THAR_ADD) || THAR_HAS(THAR_MEAN) || THAR_HAS(THAR_SOFTMAX))

/* No band's tensor comes near this; below it no index and no sum of bytes overflows. */
#define TOO_BIG (UINT64_C(1) << 23)

static bool fits(uint64_t offset, uint64_t bytes, uint64_t total) {
  return bytes < TOO_BIG && offset <= total && bytes <= total - offset;
}

static uint64_t volume(uint16_t h, uint16_t w, uint16_t c) {
  return (uint64_t)h * w * c;
}

static bool shifts_are(const uint8_t *model, uint64_t at, uint32_t count, uint32_t step,
                       int32_t low, int32_t high, uint32_t mask) {
  for (; count != 0u; --count, at += step) {
    int32_t value = *(const int32_t *)(const void *)(model + at);
    if (mask != 0u) value = (int32_t)((uint32_t)value & mask);
    if (value < low || value > high) return false;
  }
  return true;
}

/* The packed kernels' input has room for the padding on both sides, and `slack` bytes to over-read.
 */
static bool input_has_room(const thar_op *op, uint64_t arena_bytes, uint64_t slack) {
  if (op->in_h != 1u || op->out_h != 1u || op->kernel_h != 1u) return false;
  uint64_t before = volume(1, op->pad_w, op->in_c);
  uint64_t after = (uint64_t)thar_padding_after(op) * op->in_c + slack;
  return before <= op->input && fits(op->input, volume(1, op->in_w, op->in_c) + after, arena_bytes);
}

static bool tables_are_inside(const thar_op *op, const uint8_t *model, uint64_t model_bytes,
                              uint64_t pairs, uint64_t each) {
  for (uint64_t at = op->data + 16u; pairs != 0u; --pairs, at += each) {
    const uint16_t *table = (const uint16_t *)(const void *)(model + at);
    if (!fits((uint64_t)op->data + table[0], THAR_CLUSTERED_TABLE, model_bytes)) return false;
    if (!fits((uint64_t)op->data + table[1], THAR_CLUSTERED_TABLE, model_bytes)) return false;
  }
  return true;
}

static bool conv_is_sound(const thar_op *op, const uint8_t *model, uint64_t model_bytes,
                          uint64_t arena_bytes) {
  bool clustered = THAR_HAS(THAR_CONV_CLUSTERED) && op->kind == THAR_CONV_CLUSTERED;
  uint64_t inputs = volume(op->kernel_h, op->kernel_w, op->in_c);
  if (inputs >= TOO_BIG || op->tile == 0u) return false;
  if (op->dilation_w != 1u && (op->in_c & 3u) != 0u) return false;
  uint64_t padded = (inputs + 3u) & ~UINT64_C(3);
  uint64_t pairs = (op->out_c + 1u) / 2u, plain = 16u + 2u * padded;
  uint64_t each = clustered ? THAR_CLUSTERED_HEAD + padded : plain;
  if (op->pool < 1u || op->pool > 2u || (op->other & 3u) != 0u) return false;
  if (!input_has_room(op, arena_bytes, padded - inputs)) return false;
  if (!fits(op->data, pairs * each, model_bytes)) return false;
  uint64_t scratch = (uint32_t)op->out_w * op->pool > 1u ? 4u * padded * op->tile : 2u * padded;
  if (!fits(op->other, scratch + (clustered ? plain : 0u), arena_bytes)) return false;
  if (clustered && !tables_are_inside(op, model, model_bytes, pairs, each)) return false;
  int32_t least = op->low >= op->out_zero ? 7 : 8;
  return shifts_are(model, op->data, (uint32_t)pairs, (uint32_t)each, least, 23, 0xFFu) &&
         shifts_are(model, op->data + UINT64_C(8), (uint32_t)pairs, (uint32_t)each, least, 23,
                    0xFFu);
}

static bool depthwise_is_sound(const thar_op *op, const uint8_t *model, uint64_t model_bytes,
                               uint64_t arena_bytes) {
  if (op->in_c != op->out_c || op->pool != 1u) return false;
  uint64_t taps = op->kernel_w, groups = (op->in_c + 3u) / 4u, each = 32u + 4u * taps;
  if (op->in_c < 4u || (op->other & 3u) != 0u) return false;
  if (!input_has_room(op, arena_bytes, 0)) return false;
  if (!fits(op->data, groups * each, model_bytes)) return false;
  if (!fits(op->other, 8u * taps, arena_bytes)) return false;
  int32_t least = op->low >= op->out_zero ? 7 : 8;
  for (uint64_t i = 0; i < 4u; ++i) {
    uint64_t at = op->data + 8u * i;
    if (!shifts_are(model, at, (uint32_t)groups, (uint32_t)each, least, 23, 0xFFu)) return false;
  }
  return true;
}

static bool wide_is_sound(const thar_op *op, const uint8_t *model, uint64_t model_bytes) {
  bool depthwise = op->kind == THAR_DEPTHWISE_WIDE;
  if (depthwise && op->out_c % op->in_c != 0u) return false;
  uint64_t inputs = volume(op->kernel_h, op->kernel_w, depthwise ? 1u : op->in_c);
  if (inputs >= TOO_BIG) return false;
  uint64_t bytes = op->out_c * (sizeof(thar_wide_channel) + inputs);
  return fits(op->data, bytes, model_bytes) && shifts_are(model, op->data + UINT64_C(8), op->out_c,
                                                          sizeof(thar_wide_channel), -31, 30, 0);
}

static bool scales_are_sound(const thar_op *op, const uint8_t *model, uint64_t model_bytes,
                             uint64_t arena_bytes) {
  if (op->kind == THAR_ADD) {
    return fits(op->data, sizeof(thar_add_data), model_bytes) &&
           fits(op->other, volume(op->in_h, op->in_w, op->in_c), arena_bytes) &&
           shifts_are(model, op->data + UINT64_C(4), 1, 4, -31, 0, 0) &&
           shifts_are(model, op->data + UINT64_C(12), 1, 4, -31, -1, 0) &&
           shifts_are(model, op->data + UINT64_C(16), 1, 4, -128, 127, 0);
  }
  int32_t low = op->kind == THAR_MEAN ? -31 : 0, high = op->kind == THAR_MEAN ? 30 : 31;
  return fits(op->data, sizeof(thar_scale_data), model_bytes) &&
         shifts_are(model, op->data + UINT64_C(4), 1, 4, low, high, 0);
}

static bool mul_is_sound(const thar_op *op, const uint8_t *model, uint64_t model_bytes,
                         uint64_t arena_bytes) {
  return fits(op->data, sizeof(thar_mul_data), model_bytes) &&
         fits(op->other, op->in_c, arena_bytes) &&
         shifts_are(model, op->data + UINT64_C(4), 1, 4, -31, 14, 0) &&
         shifts_are(model, op->data + UINT64_C(8), 1, 4, -128, 127, 0);
}

static bool pad_is_sound(const thar_op *op, const uint8_t *model, uint64_t model_bytes) {
  if ((uint32_t)op->pad_h + op->in_h > op->out_h || (uint32_t)op->pad_w + op->in_w > op->out_w ||
      op->in_c > op->out_c || !fits(op->data, sizeof(thar_pad_data), model_bytes)) {
    return false;
  }
  return shifts_are(model, op->data, 1, 4, -128, 127, 0) &&
         shifts_are(model, op->data + UINT64_C(4), 1, 4, 0, op->out_c - op->in_c, 0);
}

static bool concatenation_is_sound(const thar_op *op, const uint8_t *model, uint64_t model_bytes,
                                   uint64_t arena_bytes) {
  const thar_concatenation_data *data =
      (const thar_concatenation_data *)(const void *)(model + op->data);
  if (!fits(op->data, sizeof *data, model_bytes)) return false;
  if (!fits(op->data, sizeof *data + UINT64_C(8) * data->count, model_bytes)) return false;
  uint64_t row = 0;
  for (uint32_t i = 0; i < data->count; ++i) {
    row += data->part[i].width;
    if (row > op->out_c) return false;
    if (!fits(data->part[i].offset, (uint64_t)data->part[i].width * op->in_w, arena_bytes)) {
      return false;
    }
  }
  return row == op->out_c;
}

/* What an operator writes must be what its shape says. */
static bool shapes_agree(const thar_op *op) {
  uint64_t in = volume(op->in_h, op->in_w, op->in_c);
  uint64_t out = volume(op->out_h, op->out_w, op->out_c);
  switch (op->kind) {
    case THAR_ADD:
    case THAR_SOFTMAX:
    case THAR_TABLE:
      return in == out;
    case THAR_MUL:
      return in == out && op->in_h == 1u;
    case THAR_CONCATENATION:
      return op->in_h == 1u && op->out_h == 1u && op->in_w == op->out_w;
    case THAR_MEAN:
      return out == (uint64_t)op->in_h * op->in_c;
    case THAR_MAX_POOL:
    case THAR_AVERAGE_POOL:
      return op->in_c == op->out_c;
    default:
      return true;
  }
}

/* How far a window reaches along one axis, for indices that stay in 32 bits. */
static bool reach_is_sane(uint16_t out, uint16_t stride, uint16_t kernel, uint16_t dilation) {
  return (uint64_t)out * 2u * stride < TOO_BIG && (uint64_t)kernel * dilation < TOO_BIG;
}

static bool sizes_are_positive(const thar_op *op) {
  return op->in_h && op->in_w && op->in_c && op->out_h && op->out_w && op->out_c &&
         op->kernel_h && op->kernel_w && op->stride_h && op->stride_w && op->dilation_h &&
         op->dilation_w;
}

bool thar_op_is_sound(const thar_op *op, const uint8_t *model, size_t model_bytes,
                      size_t arena_bytes) {
  if (op->kind >= THAR_KINDS || (op->data & 3u) != 0u) return false;
  if (!sizes_are_positive(op) || !shapes_agree(op)) return false;
  if (!reach_is_sane(op->out_h, op->stride_h, op->kernel_h, op->dilation_h) ||
      !reach_is_sane(op->out_w, op->stride_w, op->kernel_w, op->dilation_w)) {
    return false;
  }
  if (!fits(op->input, volume(op->in_h, op->in_w, op->in_c), arena_bytes)) return false;
  if (!fits(op->output, volume(op->out_h, op->out_w, op->out_c), arena_bytes)) return false;
  switch (op->kind) {
    case THAR_CONV:
    case THAR_CONV_CLUSTERED:
      return CONVOLVES && conv_is_sound(op, model, model_bytes, arena_bytes);
    case THAR_DEPTHWISE:
      return THAR_HAS(THAR_DEPTHWISE) && depthwise_is_sound(op, model, model_bytes, arena_bytes);
    case THAR_CONV_WIDE:
    case THAR_DEPTHWISE_WIDE:
      return WIDE && wide_is_sound(op, model, model_bytes);
    case THAR_MAX_POOL:
    case THAR_AVERAGE_POOL:
      return true;
    case THAR_TABLE:
      return THAR_HAS(THAR_TABLE) && fits(op->data, 256, model_bytes);
    case THAR_MUL:
      return THAR_HAS(THAR_MUL) && mul_is_sound(op, model, model_bytes, arena_bytes);
    case THAR_PAD:
      return THAR_HAS(THAR_PAD) && pad_is_sound(op, model, model_bytes);
    case THAR_CONCATENATION:
      return THAR_HAS(THAR_CONCATENATION) &&
             concatenation_is_sound(op, model, model_bytes, arena_bytes);
    default:
      return SCALED && scales_are_sound(op, model, model_bytes, arena_bytes);
  }
}
