// As much of TensorFlow Lite Micro's interface as the exported sources name: for a syntax check only.
#pragma once
#include <cstddef>
#include <cstdint>
enum TfLiteStatus { kTfLiteOk, kTfLiteError };
#define TF_LITE_ENSURE_STATUS(a)          \
  do {                                    \
    const TfLiteStatus s = (a);           \
    if (s != kTfLiteOk) return s;         \
  } while (0)
enum TfLiteType { kTfLiteInt8 };
union TfLitePtrUnion {
  std::int8_t* int8;
};
struct TfLiteTensor {
  TfLiteType type;
  TfLitePtrUnion data;
  std::size_t bytes;
};
struct TFLMRegistration {};
namespace tflite {
inline TFLMRegistration Register_CONV_2D_INT8() { return {}; }
inline TFLMRegistration Register_DEPTHWISE_CONV_2D_INT8() { return {}; }
inline TFLMRegistration Register_FULLY_CONNECTED_INT8() { return {}; }
inline TFLMRegistration Register_MAX_POOL_2D_INT8() { return {}; }
inline TFLMRegistration Register_AVERAGE_POOL_2D_INT8() { return {}; }
inline TFLMRegistration Register_ADD_INT8() { return {}; }
inline TFLMRegistration Register_SOFTMAX_INT8() { return {}; }
inline TFLMRegistration Register_MUL_INT8() { return {}; }
struct MicroOpResolver {};
template <unsigned kOps>
struct MicroMutableOpResolver : MicroOpResolver {
  static TfLiteStatus Add(const TFLMRegistration&) { return kTfLiteOk; }
  TfLiteStatus AddConv2D(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddDepthwiseConv2D(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddFullyConnected(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddMean(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddMaxPool2D(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddAveragePool2D(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddAdd(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddReshape(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddSoftmax(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddMul(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddPad(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddPadV2(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddConcatenation(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddReduceMax(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddHardSwish(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddLogistic(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddTanh(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddRelu(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddRelu6(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddLeakyRelu(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddQuantize(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddMinimum(const TFLMRegistration& r = {}) { return Add(r); }
  TfLiteStatus AddMaximum(const TFLMRegistration& r = {}) { return Add(r); }
};
}  // namespace tflite
