/*
 * Runs a compiled model on windows from a file:  engine_run MODEL WINDOWS OUTPUTS [TRACE]
 * Every buffer has its exact size, so that a sanitizer sees the first byte out of bounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tinyhar/engine.h"

static uint8_t *read_file(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) exit(2);
  long size = ftell(file);
  if (size < 0) exit(2);
  rewind(file);
  *bytes = (size_t)size;
  uint8_t *data = aligned_alloc(16, (*bytes + 15u) & ~(size_t)15u);
  if (data == NULL || fread(data, 1, *bytes, file) != *bytes) exit(2);
  fclose(file);
  return data;
}

static void trace(void *file, uint16_t layer, const int8_t *data, size_t bytes) {
  (void)layer;
  fwrite(data, 1, bytes, file);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  size_t model_bytes, window_bytes;
  uint8_t *model = read_file(argv[1], &model_bytes);
  uint8_t *windows = read_file(argv[2], &window_bytes);
  FILE *out = fopen(argv[3], "wb");
  FILE *traced = argc > 4 ? fopen(argv[4], "wb") : NULL;
  if (out == NULL) return 2;

  uint32_t arena_bytes;
  memcpy(&arena_bytes, model + 12, sizeof arena_bytes);
  uint8_t *arena = aligned_alloc(16, (arena_bytes + 15u) & ~15u);
  if (arena == NULL) return 2;
  thar_engine engine;
  thar_engine_status status = thar_engine_init(&engine, model, model_bytes, arena, arena_bytes);
  if (status != THAR_ENGINE_OK) {
    fprintf(stderr, "init: %d\n", (int)status);
    exit(1);
  }
  size_t size = thar_engine_input_bytes(&engine);
  for (size_t at = 0; at + size <= window_bytes; at += size) {
    memset(arena, 0x5A, arena_bytes);
    memcpy(thar_engine_input(&engine), windows + at, size);
    status = traced != NULL ? thar_engine_invoke_traced(&engine, trace, traced)
                            : thar_engine_invoke(&engine);
    if (status != THAR_ENGINE_OK) return 1;
    fwrite(thar_engine_output(&engine), 1, thar_engine_output_bytes(&engine), out);
  }
  if (traced != NULL) fclose(traced);
  fclose(out);
  free(arena);
  free(windows);
  free(model);
  return 0;
}
