#include "tinyhar/counts.h"

/* Right shifts of negative numbers are the compiler's business in C11; this one always rounds
 * down, and compiles to a single instruction where the machine has it. */
static int32_t shift_down(int32_t value, uint8_t shift) {
  return value >= 0 ? value >> shift : ~(~value >> shift);
}

int8_t thar_count_to_int8(int16_t count, int16_t multiplier, uint8_t shift, int32_t offset) {
  const int32_t value = shift_down((int32_t)count * multiplier + offset, shift);
  if (value < INT8_MIN) {
    return INT8_MIN;
  }
  return value > INT8_MAX ? INT8_MAX : (int8_t)value;
}

void thar_count_map_apply(const thar_count_map *map, const uint8_t *counts, size_t samples,
                          int8_t *out) {
  for (size_t sample = 0; sample < samples; sample++) {
    const uint8_t *entry = map->entries;
    for (uint8_t channel = 0; channel < map->channels; channel++) {
      *out++ = thar_count_to_int8(thar_load_i16(counts), thar_load_i16(entry + 4), entry[6],
                                  thar_load_i32(entry));
      counts += sizeof(int16_t);
      entry += THAR_COUNT_MAP_ENTRY_BYTES;
    }
  }
}
