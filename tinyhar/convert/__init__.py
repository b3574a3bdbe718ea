"""From a full-int8 .tflite to what a band runs: C arrays, a compiled model, a bundle."""
