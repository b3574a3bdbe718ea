/*
 * The compiled model's format, as the converter writes it and the kernels read it: a header, a
 * table of operators, then weights packed for the kernels. Little-endian; every offset is in bytes.
 * tinyhar/convert/compiled.py is the other half.
 */
#ifndef THAR_ENGINE_PLAN_H
#define THAR_ENGINE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THAR_PLAN_MAGIC 0x4D434854u /* "THCM" */
#define THAR_PLAN_VERSION 1u

typedef struct {
  uint32_t magic;
  uint8_t version;
  uint8_t kept; /* operators, from the first, whose outputs stay from window to window */
  uint16_t ops;
  uint32_t bytes; /* of the whole model */
  uint32_t arena_bytes;
  uint32_t input, input_bytes;   /* in the arena */
  uint32_t output, output_bytes; /* in the arena */
} thar_plan;

enum {
  THAR_CONV = 0,  /* over time, packed in pairs of channels, see conv.c */
  THAR_DEPTHWISE, /* over time, packed in groups of four channels, see depthwise.c */
  THAR_CONV_WIDE, /* plain weights: whatever the packed kernels cannot hold */
  THAR_DEPTHWISE_WIDE,
  THAR_MAX_POOL,
  THAR_AVERAGE_POOL,
  THAR_MEAN, /* in_h = outer, in_w = count, in_c = inner */
  THAR_ADD,
  THAR_SOFTMAX,
  THAR_TABLE,         /* 256 bytes: the output for each input */
  THAR_MUL,           /* in_w rows of in_c values by in_c values */
  THAR_PAD,           /* an image within a larger one; pad_h and pad_w before it */
  THAR_CONCATENATION, /* in_w rows, each a piece of every input */
  THAR_CONV_CLUSTERED, /* CONV with weights of four bits, see conv_clustered.c */
  THAR_KINDS
};

typedef struct {
  uint8_t kind;
  uint8_t pool; /* CONV: outputs along time to take the maximum of, 1 or 2 */
  int8_t in_zero, out_zero;
  int8_t low, high; /* the fused activation */
  uint16_t tile;    /* CONV: pairs of outputs that the scratch holds at once */
  uint16_t in_h, in_w, in_c;
  uint16_t out_h, out_w, out_c;
  uint16_t kernel_h, kernel_w;
  uint16_t stride_h, stride_w;
  uint16_t dilation_h, dilation_w;
  uint16_t pad_h, pad_w;
  uint32_t input, output; /* in the arena */
  uint32_t other; /* in the arena: ADD's and MUL's second input; scratch of a packed kernel */
  uint32_t data;          /* in the model: weights and constants */
} thar_op;

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the model is read in place: little-endian processors only"
#endif
_Static_assert(sizeof(thar_plan) == 32, "the converter writes 32 bytes");
_Static_assert(sizeof(thar_op) == 52, "the converter writes 52 bytes");

/*
 * ADD as TFLM's, the input with the larger scale first: its factor is 1/2, the other's and the
 * sum's are here.
 */
typedef struct {
  int32_t multiplier, shift;
  int32_t out_multiplier, out_shift;
  int32_t other_zero;
} thar_add_data;

/* MUL as TFLM's: centred products, one rescaling; shift -31..14. */
typedef struct {
  int32_t multiplier, shift;
  int32_t other_zero;
} thar_mul_data;

typedef struct {
  int32_t value;
  int32_t front; /* channels before the image's */
} thar_pad_data;

/* A concatenation's inputs, in order. */
typedef struct {
  uint32_t count;
  struct {
    uint32_t offset; /* in the arena */
    uint32_t width;  /* bytes a row */
  } part[];
} thar_concatenation_data;

/* One rescaling: MEAN's, SOFTMAX's (with the lowest difference that counts). */
typedef struct {
  int32_t multiplier;
  int32_t shift;
  int32_t lowest;
} thar_scale_data;

/* One output channel of a wide kernel. */
typedef struct {
  int32_t bias;
  int32_t multiplier;
  int32_t shift;
} thar_wide_channel;

/*
 * One output channel of a packed kernel: `head` is bias * 256 + s, where the bias already holds
 * -in_zero * sum(weights) and s = 7 - TFLM's shift (7..23).
 */
typedef struct {
  int32_t head;
  int32_t multiplier;
} thar_packed_channel;

/* Bytes of a pair of clustered channels before its weights, and of a table of values. */
enum { THAR_CLUSTERED_HEAD = 20, THAR_CLUSTERED_TABLE = 16 };

/*
 * The packed kernels read beyond the ends of their input instead of asking where it ends: the
 * converter leaves room for the padding on both sides, and the kernel fills it with the zero point.
 * Lengths in samples, for in_h = out_h = 1.
 */
static inline int32_t thar_padding_after(const thar_op *op) {
  int32_t reach = (int32_t)((op->out_w * (uint32_t)op->pool - 1u) * op->stride_w +
                            (op->kernel_w - 1u) * (uint32_t)op->dilation_w + 1u);
  int32_t after = reach - (int32_t)op->pad_w - (int32_t)op->in_w;
  return after > 0 ? after : 0;
}

/* Runs an operator, its activation included. */
void thar_run(const thar_op *op, const uint8_t *model, uint8_t *arena);

/* Fills the room on both sides of the input. */
void thar_pad(const thar_op *op, uint8_t *arena);

/* Runs the first `kept` operators on a window that begins `hop` samples after the one before; false:
 * it cannot, and nothing was done. */
bool thar_run_kept(const thar_op *ops, uint32_t kept, uint32_t hop, const uint8_t *model,
                   uint8_t *arena);
/* True if these operators can be run so. */
bool thar_kept_are_sound(const thar_op *ops, uint32_t kept);

/* True if every offset and size of `op` lies inside the model and the arena. */
bool thar_op_is_sound(const thar_op *op, const uint8_t *model, size_t model_bytes,
                      size_t arena_bytes);

typedef void (*thar_kernel)(const thar_op *op, const uint8_t *model, uint8_t *arena);

void thar_conv(const thar_op *op, const uint8_t *model, uint8_t *arena);
void thar_depthwise(const thar_op *op, const uint8_t *model, uint8_t *arena);
void thar_conv_wide(const thar_op *op, const uint8_t *model, uint8_t *arena);
void thar_depthwise_wide(const thar_op *op, const uint8_t *model, uint8_t *arena);
void thar_max_pool(const thar_op *op, const uint8_t *model, uint8_t *arena);
void thar_average_pool(const thar_op *op, const uint8_t *model, uint8_t *arena);
void thar_mean(const thar_op *op, const uint8_t *model, uint8_t *arena);
void thar_add(const thar_op *op, const uint8_t *model, uint8_t *arena);
void thar_softmax(const thar_op *op, const uint8_t *model, uint8_t *arena);
void thar_table(const thar_op *op, const uint8_t *model, uint8_t *arena);
void thar_mul(const thar_op *op, const uint8_t *model, uint8_t *arena);
void thar_pad_image(const thar_op *op, const uint8_t *model, uint8_t *arena);
void thar_concatenation(const thar_op *op, const uint8_t *model, uint8_t *arena);

#endif
