/* engine.h over a compiled model: check it once, then run its operators in order. */
#include "kernels.h"
#include "plan.h"
#include "tinyhar/engine.h"

#define KERNEL(kind, kernel) [kind] = THAR_HAS(kind) ? (kernel) : NULL

static const thar_kernel kernels[THAR_KINDS] = {
    KERNEL(THAR_CONV, thar_conv),
    KERNEL(THAR_DEPTHWISE, thar_depthwise),
    KERNEL(THAR_CONV_WIDE, thar_conv_wide),
    KERNEL(THAR_DEPTHWISE_WIDE, thar_depthwise_wide),
    KERNEL(THAR_MAX_POOL, thar_max_pool),
    KERNEL(THAR_AVERAGE_POOL, thar_average_pool),
    KERNEL(THAR_MEAN, thar_mean),
    KERNEL(THAR_ADD, thar_add),
    KERNEL(THAR_SOFTMAX, thar_softmax),
    KERNEL(THAR_TABLE, thar_table),
    KERNEL(THAR_MUL, thar_mul),
    KERNEL(THAR_PAD, thar_pad_image),
    KERNEL(THAR_CONCATENATION, thar_concatenation),
    KERNEL(THAR_CONV_CLUSTERED, thar_conv),
};

static const thar_op *ops_of(const uint8_t *model) {
  return (const thar_op *)(const void *)(model + sizeof(thar_plan));
}

static bool inside(uint32_t offset, uint32_t bytes, uint32_t total) {
  return offset <= total && bytes <= total - offset;
}

thar_engine_status thar_engine_init(thar_engine *e, const uint8_t *model, size_t model_bytes,
                                    uint8_t *arena, size_t arena_bytes) {
  const thar_plan *plan = (const thar_plan *)(const void *)model;
  if (((uintptr_t)model & 3u) != 0u || ((uintptr_t)arena & 3u) != 0u) return THAR_ENGINE_BAD_MODEL;
  if (model_bytes < sizeof *plan || plan->magic != THAR_PLAN_MAGIC) return THAR_ENGINE_BAD_MODEL;
  if (plan->version != THAR_PLAN_VERSION) return THAR_ENGINE_BAD_VERSION;
  if (plan->bytes > model_bytes) return THAR_ENGINE_BAD_MODEL;
  if (plan->arena_bytes > arena_bytes) return THAR_ENGINE_ARENA_TOO_SMALL;
  if (!inside(plan->input, plan->input_bytes, plan->arena_bytes) ||
      !inside(plan->output, plan->output_bytes, plan->arena_bytes) ||
      !inside(sizeof *plan, plan->ops * (uint32_t)sizeof(thar_op), plan->bytes)) {
    return THAR_ENGINE_BAD_MODEL;
  }
  const thar_op *op = ops_of(model);
  if (plan->kept > plan->ops || !thar_kept_are_sound(op, plan->kept)) return THAR_ENGINE_BAD_MODEL;
  for (uint32_t i = 0; i < plan->ops; ++i) {
    if (op[i].kind >= THAR_KINDS || kernels[op[i].kind] == NULL) return THAR_ENGINE_UNSUPPORTED;
    if (!thar_op_is_sound(&op[i], model, plan->bytes, plan->arena_bytes)) {
      return THAR_ENGINE_BAD_MODEL;
    }
  }
  *e = (thar_engine){.model = model,
                     .arena = arena,
                     .arena_used = plan->arena_bytes,
                     .input_offset = plan->input,
                     .input_bytes = plan->input_bytes,
                     .output_offset = plan->output,
                     .output_bytes = plan->output_bytes};
  return THAR_ENGINE_OK;
}

/* Kernels that leave an activation's limits to clamp_output. */
#define CLAMPED_AFTER                                                                     \
  (1u << THAR_CONV | 1u << THAR_CONV_CLUSTERED | 1u << THAR_DEPTHWISE | 1u << THAR_ADD | \
   1u << THAR_MUL)

/* An activation narrower than int8 is cut afterwards: few models have one. */
static void clamp_output(const thar_op *op, uint8_t *arena) {
  int8_t *out = (int8_t *)(arena + op->output);
  for (uint32_t left = (uint32_t)op->out_h * op->out_w * op->out_c; left != 0u; --left, ++out) {
    *out = *out < op->low ? op->low : *out > op->high ? op->high : *out;
  }
}

void thar_run(const thar_op *op, const uint8_t *model, uint8_t *arena) {
  kernels[op->kind](op, model, arena);
  if ((CLAMPED_AFTER >> op->kind & 1u) != 0u && (op->low != -128 || op->high != 127)) {
    clamp_output(op, arena);
  }
}

static const thar_plan *plan_of(const thar_engine *e) {
  return (const thar_plan *)(const void *)e->model;
}

thar_engine_status thar_engine_invoke_traced(thar_engine *e, thar_layer_fn fn, void *ctx) {
  const thar_op *op = ops_of(e->model);
  for (uint16_t i = 0; i < plan_of(e)->ops; ++i, ++op) {
    thar_run(op, e->model, e->arena);
    if (fn != NULL) {
      fn(ctx, i, (const int8_t *)(e->arena + op->output),
         (size_t)op->out_h * op->out_w * op->out_c);
    }
  }
  return THAR_ENGINE_OK;
}

thar_engine_status thar_engine_invoke(thar_engine *e) {
  return thar_engine_invoke_traced(e, NULL, NULL);
}

thar_engine_status thar_engine_invoke_next(thar_engine *e, size_t hop) {
  const thar_op *ops = ops_of(e->model);
  uint32_t kept = plan_of(e)->kept;
  if (hop > UINT16_MAX || !thar_run_kept(ops, kept, (uint32_t)hop, e->model, e->arena)) {
    return thar_engine_invoke(e);
  }
  for (uint32_t i = kept; i < plan_of(e)->ops; ++i) thar_run(ops + i, e->model, e->arena);
  return THAR_ENGINE_OK;
}

int8_t *thar_engine_input(thar_engine *e) {
  return (int8_t *)(e->arena + e->input_offset);
}
size_t thar_engine_input_bytes(const thar_engine *e) {
  return e->input_bytes;
}
const int8_t *thar_engine_output(const thar_engine *e) {
  return (const int8_t *)(e->arena + e->output_offset);
}
size_t thar_engine_output_bytes(const thar_engine *e) {
  return e->output_bytes;
}

/* Kernels of a last layer that weighs an embedding. */
#define LINEAR (1u << THAR_CONV | 1u << THAR_CONV_CLUSTERED | 1u << THAR_CONV_WIDE)

const int8_t *thar_engine_embedding(const thar_engine *e, size_t *bytes) {
  const thar_plan *plan = plan_of(e);
  const thar_op *last = ops_of(e->model) + plan->ops - 1;
  bool linear = plan->ops != 0u && (LINEAR >> last->kind & 1u) != 0u &&
                last->in_h == 1u && last->in_w == 1u && last->output == plan->output;
  *bytes = linear ? last->in_c : 0u;
  return linear ? (const int8_t *)(e->arena + last->input) : NULL;
}
size_t thar_engine_arena_used(const thar_engine *e) {
  return e->arena_used;
}
const char *thar_engine_name(void) {
  return "compiled";
}
