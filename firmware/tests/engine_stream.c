/*
 * Runs a compiled model on a signal's windows one after the other, whole and as what is new:
 *   engine_stream MODEL SIGNAL HOP SAMPLE_BYTES WHOLE NEXT
 * Every buffer has its exact size, so that a sanitizer sees the first byte out of bounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tinyhar/engine.h"

static uint8_t *read_file(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) exit(2);
  *bytes = (size_t)ftell(file);
  rewind(file);
  uint8_t *data = aligned_alloc(16, (*bytes + 15u) & ~(size_t)15u);
  if (data == NULL || fread(data, 1, *bytes, file) != *bytes) exit(2);
  fclose(file);
  return data;
}

static void check(thar_engine_status status) {
  if (status != THAR_ENGINE_OK) {
    fprintf(stderr, "status %d\n", (int)status);
    exit(1);
  }
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  size_t model_bytes, signal_bytes;
  uint8_t *model = read_file(argv[1], &model_bytes), *signal = read_file(argv[2], &signal_bytes);
  const size_t hop = (size_t)atoi(argv[3]), sample = (size_t)atoi(argv[4]);
  uint32_t arena_bytes;
  memcpy(&arena_bytes, model + 12, sizeof arena_bytes);
  uint8_t *arena = aligned_alloc(16, (arena_bytes + 15u) & ~15u);
  if (arena == NULL) return 2;
  for (int next = 0; next < 2; next++) {
    FILE *out = fopen(argv[5 + next], "wb");
    thar_engine engine;
    memset(arena, 0x5A, arena_bytes);
    check(thar_engine_init(&engine, model, model_bytes, arena, arena_bytes));
    const size_t size = thar_engine_input_bytes(&engine);
    for (size_t at = 0; out != NULL && at + size <= signal_bytes; at += hop * sample) {
      memcpy(thar_engine_input(&engine), signal + at, size);
      check(next != 0 && at != 0 ? thar_engine_invoke_next(&engine, hop)
                                 : thar_engine_invoke(&engine));
      fwrite(thar_engine_output(&engine), 1, thar_engine_output_bytes(&engine), out);
    }
    if (out == NULL || fclose(out) != 0) return 2;
  }
  free(arena);
  free(signal);
  free(model);
  return 0;
}
