/*
 * Damages a compiled model in many ways and runs whatever the engine still accepts:
 *   engine_mutate MODEL ROUNDS SEED
 * Built with sanitizers: any access out of bounds or undefined operation ends it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tinyhar/engine.h"

static uint64_t state;

static uint32_t next(uint32_t below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)((state >> 11) % below);
}

static void ignore(void *ctx, uint16_t layer, const int8_t *data, size_t bytes) {
  volatile int8_t *sink = ctx;
  (void)layer;
  for (size_t i = 0; i < bytes; ++i) *sink = data[i];
}

/* Mostly in the header and the operator table, where a byte means an offset or a size. */
static void damage(uint8_t *model, uint32_t bytes) {
  static const uint8_t nasty[] = {0, 1, 2, 0x7F, 0x80, 0xFF};
  uint16_t ops;
  memcpy(&ops, model + 6, sizeof ops);
  uint32_t table = 32u + 52u * ops;
  for (uint32_t flips = 1u + next(3); flips != 0u; --flips) {
    uint32_t at = next(4) != 0u ? 5u + next(table - 5u) : next(bytes);
    model[at] = next(2) != 0u ? nasty[next(sizeof nasty)] : (uint8_t)next(256);
  }
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  FILE *file = fopen(argv[1], "rb");
  if (file == NULL) return 2;
  static uint8_t original[1 << 16];
  uint32_t bytes = (uint32_t)fread(original, 1, sizeof original, file);
  fclose(file);
  state = strtoull(argv[3], NULL, 10) * 2654435761u + 88172645463325252u;
  uint32_t arena_bytes, accepted = 0, rounds = (uint32_t)strtoul(argv[2], NULL, 10);
  memcpy(&arena_bytes, original + 12, sizeof arena_bytes);
  for (uint32_t round = 0; round < rounds; ++round) {
    uint32_t kept = next(8) == 0u ? next(bytes) : bytes;
    uint8_t *model = malloc(kept + 1u);
    uint8_t *arena = malloc(arena_bytes);
    if (model == NULL || arena == NULL) return 2;
    memcpy(model, original, kept);
    memset(arena, (int)next(256), arena_bytes);
    if (kept == bytes) damage(model, bytes);
    thar_engine engine;
    if (thar_engine_init(&engine, model, kept, arena, arena_bytes) == THAR_ENGINE_OK) {
      volatile int8_t sink = 0;
      ++accepted;
      memset(thar_engine_input(&engine), 0x7F, thar_engine_input_bytes(&engine));
      thar_engine_invoke_traced(&engine, ignore, (void *)&sink);
      (void)thar_engine_invoke_next(&engine, 1u + next(16));
      ignore((void *)&sink, 0, thar_engine_output(&engine), thar_engine_output_bytes(&engine));
    }
    free(arena);
    free(model);
  }
  printf("%u of %u accepted\n", accepted, rounds);
  return 0;
}
