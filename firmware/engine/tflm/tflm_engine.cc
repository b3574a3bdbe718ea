// engine.h over TensorFlow Lite Micro. The interpreter and its resolver live at the arena's front,
// so that several engines can exist, each in its own arena; the rest of the arena is TFLM's.
#include <cstddef>
#include <cstdint>
#include <new>

#include "model_ops.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/schema/schema_generated.h"
#include "tinyhar/engine.h"

namespace {

constexpr std::size_t kAlignment = 16;

struct Session {
  Session(const tflite::Model *model, std::uint8_t *arena, std::size_t bytes)
      : registered(tinyhar::RegisterModelOps(ops)), interpreter(model, ops, arena, bytes) {}

  tinyhar::ModelOps ops;
  TfLiteStatus registered;
  tflite::MicroInterpreter interpreter;
};

// TFLM builds its allocator in the arena without asking whether it fits; no model needs less.
constexpr std::size_t kLeastArena = 1024;

constexpr std::size_t kFront = (sizeof(Session) + kAlignment - 1) / kAlignment * kAlignment;

Session *SessionOf(thar_engine *e) {
  return static_cast<Session *>(e->interpreter);
}

// A flatbuffer that is not whole must not be followed: the verifier looks at every offset first.
const tflite::Model *Verified(const std::uint8_t *model, std::size_t bytes) {
  flatbuffers::Verifier verifier(model, bytes);
  return tflite::VerifyModelBuffer(verifier) ? tflite::GetModel(model) : nullptr;
}

bool IsPlainInt8(const TfLiteTensor *tensor) {
  return tensor != nullptr && tensor->type == kTfLiteInt8 && tensor->bytes > 0;
}

}  // namespace

extern "C" {

thar_engine_status thar_engine_init(thar_engine *e, const std::uint8_t *model,
                                    std::size_t model_bytes, std::uint8_t *arena,
                                    std::size_t arena_bytes) {
  if (reinterpret_cast<std::uintptr_t>(model) % kAlignment != 0 ||
      reinterpret_cast<std::uintptr_t>(arena) % kAlignment != 0) {
    return THAR_ENGINE_BAD_MODEL;
  }
  const tflite::Model *verified = Verified(model, model_bytes);
  if (verified == nullptr) return THAR_ENGINE_BAD_MODEL;
  if (verified->version() != TFLITE_SCHEMA_VERSION) return THAR_ENGINE_BAD_VERSION;
  if (arena_bytes < kFront + kLeastArena) return THAR_ENGINE_ARENA_TOO_SMALL;

  Session *session = new (arena) Session(verified, arena + kFront, arena_bytes - kFront);
  if (session->registered != kTfLiteOk) return THAR_ENGINE_UNSUPPORTED;
  // TFLM tells an operator that the resolver lacks and a full arena apart in its log only.
  if (session->interpreter.AllocateTensors() != kTfLiteOk) return THAR_ENGINE_ARENA_TOO_SMALL;
  const TfLiteTensor *input = session->interpreter.input(0);
  const TfLiteTensor *output = session->interpreter.output(0);
  if (!IsPlainInt8(input) || !IsPlainInt8(output)) return THAR_ENGINE_UNSUPPORTED;

  *e = {};
  e->model = model;
  e->arena = arena;
  e->interpreter = session;
  e->arena_used = static_cast<std::uint32_t>(kFront + session->interpreter.arena_used_bytes());
  e->input_bytes = static_cast<std::uint32_t>(input->bytes);
  e->output_bytes = static_cast<std::uint32_t>(output->bytes);
  return THAR_ENGINE_OK;
}

std::int8_t *thar_engine_input(thar_engine *e) {
  return SessionOf(e)->interpreter.input(0)->data.int8;
}

std::size_t thar_engine_input_bytes(const thar_engine *e) {
  return e->input_bytes;
}

thar_engine_status thar_engine_invoke(thar_engine *e) {
  return SessionOf(e)->interpreter.Invoke() == kTfLiteOk ? THAR_ENGINE_OK : THAR_ENGINE_BAD_MODEL;
}

// TFLM keeps nothing from window to window.
thar_engine_status thar_engine_invoke_next(thar_engine *e, std::size_t hop) {
  (void)hop;
  return thar_engine_invoke(e);
}

thar_engine_status thar_engine_invoke_traced(thar_engine *e, thar_layer_fn fn, void *ctx) {
  (void)e;
  (void)fn;
  (void)ctx;
  return THAR_ENGINE_UNSUPPORTED;
}

const std::int8_t *thar_engine_output(const thar_engine *e) {
  return static_cast<Session *>(e->interpreter)->interpreter.output(0)->data.int8;
}

std::size_t thar_engine_output_bytes(const thar_engine *e) {
  return e->output_bytes;
}

// TFLM's interpreter shows inputs and outputs of the model alone.
const std::int8_t *thar_engine_embedding(const thar_engine *e, std::size_t *bytes) {
  (void)e;
  *bytes = 0;
  return nullptr;
}

std::size_t thar_engine_arena_used(const thar_engine *e) {
  return e->arena_used;
}

const char *thar_engine_name(void) {
  return "tflm";
}

}  // extern "C"
