#ifndef TINYHAR_MODEL_OPS_H
#define TINYHAR_MODEL_OPS_H

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/kernels/add.h"
#include "tensorflow/lite/micro/kernels/conv.h"
#include "tensorflow/lite/micro/kernels/depthwise_conv.h"
#include "tensorflow/lite/micro/kernels/fully_connected.h"
#include "tensorflow/lite/micro/kernels/mul.h"
#include "tensorflow/lite/micro/kernels/pooling.h"
#include "tensorflow/lite/micro/kernels/softmax.h"

namespace tinyhar {

using ModelOps = tflite::MicroMutableOpResolver<23>;

// int8-only kernels: with CMSIS-NN they save 17-35 kB of flash; without, they are the
// common ones.
inline TfLiteStatus RegisterModelOps(ModelOps& resolver) {
  TF_LITE_ENSURE_STATUS(resolver.AddConv2D(tflite::Register_CONV_2D_INT8()));
  TF_LITE_ENSURE_STATUS(resolver.AddDepthwiseConv2D(tflite::Register_DEPTHWISE_CONV_2D_INT8()));
  TF_LITE_ENSURE_STATUS(resolver.AddFullyConnected(tflite::Register_FULLY_CONNECTED_INT8()));
  TF_LITE_ENSURE_STATUS(resolver.AddMean());
  TF_LITE_ENSURE_STATUS(resolver.AddMaxPool2D(tflite::Register_MAX_POOL_2D_INT8()));
  TF_LITE_ENSURE_STATUS(resolver.AddAveragePool2D(tflite::Register_AVERAGE_POOL_2D_INT8()));
  TF_LITE_ENSURE_STATUS(resolver.AddAdd(tflite::Register_ADD_INT8()));
  TF_LITE_ENSURE_STATUS(resolver.AddReshape());
  TF_LITE_ENSURE_STATUS(resolver.AddSoftmax(tflite::Register_SOFTMAX_INT8()));
  TF_LITE_ENSURE_STATUS(resolver.AddMul(tflite::Register_MUL_INT8()));
  TF_LITE_ENSURE_STATUS(resolver.AddPad());
  TF_LITE_ENSURE_STATUS(resolver.AddPadV2());
  TF_LITE_ENSURE_STATUS(resolver.AddConcatenation());
  TF_LITE_ENSURE_STATUS(resolver.AddReduceMax());
  TF_LITE_ENSURE_STATUS(resolver.AddHardSwish());
  TF_LITE_ENSURE_STATUS(resolver.AddLogistic());
  TF_LITE_ENSURE_STATUS(resolver.AddTanh());
  TF_LITE_ENSURE_STATUS(resolver.AddRelu());
  TF_LITE_ENSURE_STATUS(resolver.AddRelu6());
  TF_LITE_ENSURE_STATUS(resolver.AddLeakyRelu());
  TF_LITE_ENSURE_STATUS(resolver.AddQuantize());
  TF_LITE_ENSURE_STATUS(resolver.AddMinimum());
  TF_LITE_ENSURE_STATUS(resolver.AddMaximum());
  return kTfLiteOk;
}

}  // namespace tinyhar

#endif
