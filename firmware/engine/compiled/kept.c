/*
 * Windows that overlap: what the first layers made of the samples that two windows share stays where
 * it is, moved to the front, and only the rest is computed. "The rest" is what the new samples reach,
 * and the first outputs, which saw real samples before and see padding now: so every byte is that of
 * a whole window.
 */
#include <string.h>

#include "plan.h"

/* Positions [from, to) of a tensor along time equal those `shift` further in the window before. */
typedef struct {
  int32_t from, to, shift;
} shared;

static int32_t step_of(const thar_op *op) {
  return (int32_t)op->stride_w * op->pool;
}

/* Outputs whose inputs are all shared, none of them padding. */
static shared after(const thar_op *op, shared in) {
  int32_t step = step_of(op), pad = op->pad_w;
  int32_t reach = ((int32_t)op->kernel_w - 1) * op->dilation_w + 1;
  reach += ((int32_t)op->pool - 1) * op->stride_w;
  int32_t last = in.to + pad - reach;
  shared out = {(in.from + pad + step - 1) / step, last < 0 ? 0 : last / step + 1, in.shift / step};
  int32_t all = op->out_w, end = all - out.shift;
  out.from = out.from < all ? out.from : all;
  out.to = out.to < end ? out.to : end;
  out.to = out.to > out.from ? out.to : out.from;
  return out;
}

/* Outputs [from, to) alone, as an operator of its own. */
static void run_part(const thar_op *op, int32_t from, int32_t to, const uint8_t *model,
                     uint8_t *arena) {
  thar_op part = *op;
  int32_t first = from * step_of(op) - (int32_t)op->pad_w;
  uint32_t skipped = first > 0 ? (uint32_t)first : 0u;
  if (from >= to) return;
  part.out_w = (uint16_t)(to - from);
  part.output += (uint32_t)from * op->out_c;
  part.pad_w = (uint16_t)(first < 0 ? -first : 0);
  part.in_w = (uint16_t)(op->in_w - skipped);
  part.input += skipped * op->in_c;
  thar_run(&part, model, arena);
}

static bool hop_fits(const thar_op *ops, uint32_t kept, uint32_t hop) {
  if (kept == 0u || hop == 0u || hop >= ops->in_w) return false;
  for (uint32_t i = 0; i < kept; ++i) {
    uint32_t step = (uint32_t)step_of(ops + i);
    if (hop % step != 0u) return false;
    hop /= step;
  }
  return true;
}

bool thar_run_kept(const thar_op *ops, uint32_t kept, uint32_t hop, const uint8_t *model,
                   uint8_t *arena) {
  if (!hop_fits(ops, kept, hop)) return false;
  shared now = {0, (int32_t)ops->in_w - (int32_t)hop, (int32_t)hop};
  for (const thar_op *op = ops; op != ops + kept; ++op) {
    now = after(op, now);
    uint8_t *out = arena + op->output;
    memmove(out + (uint32_t)now.from * op->out_c,
            out + (uint32_t)(now.from + now.shift) * op->out_c,
            (size_t)(now.to - now.from) * op->out_c);
    run_part(op, 0, now.from, model, arena);
    run_part(op, now.to, op->out_w, model, arena);
  }
  return true;
}

#define KEEPING (1u << THAR_CONV | 1u << THAR_CONV_CLUSTERED | 1u << THAR_DEPTHWISE)

/* A chain of packed convolutions along time, each of which reads what the one before it made. */
bool thar_kept_are_sound(const thar_op *ops, uint32_t kept) {
  for (uint32_t i = 0; i < kept; ++i) {
    const thar_op *op = ops + i;
    if (op->kind >= THAR_KINDS || (KEEPING >> op->kind & 1u) == 0u) return false;
    if (op->stride_w == 0u || op->pool == 0u || op->in_w == 0u) return false;
    if (i != 0u && (op->input != op[-1].output || op->in_w != op[-1].out_w)) return false;
  }
  return true;
}
