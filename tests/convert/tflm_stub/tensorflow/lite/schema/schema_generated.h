#pragma once
#include <cstddef>
#include <cstdint>
#define TFLITE_SCHEMA_VERSION 3
namespace flatbuffers {
struct Verifier {
  Verifier(const std::uint8_t*, std::size_t) {}
};
}  // namespace flatbuffers
namespace tflite {
struct Model {
  std::uint32_t version() const { return TFLITE_SCHEMA_VERSION; }
};
inline const Model* GetModel(const void* data) { return static_cast<const Model*>(data); }
inline bool VerifyModelBuffer(flatbuffers::Verifier&) { return true; }
}  // namespace tflite
