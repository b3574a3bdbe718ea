#include "tinyhar/counts.h"

/* Right shifts of negative numbers are the compiler's business in C11; this one always rounds
 * down, and compiles to a single instruction where the machine has it. */
static int32_t shift_down(int32_t value, uint8_t shift) {
  return value >= 0 ? value >> shift : ~(~value >> shift);
}

static int8_t clamp(int32_t value) {
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
  /* What compilers do not find by themselves; gcc's own __ssat is not -Wconversion clean. */
  int32_t within;
  __asm__("ssat %0, #8, %1" : "=r"(within) : "r"(value));
  return (int8_t)within;
#else
  const int32_t at_least = value < INT8_MIN ? INT8_MIN : value;
  return (int8_t)(at_least > INT8_MAX ? INT8_MAX : at_least);
#endif
}

int8_t thar_count_to_int8(int16_t count, int16_t multiplier, uint8_t shift, int32_t offset) {
  return clamp(shift_down((int32_t)count * multiplier + offset, shift));
}

/* Channel by channel, so that a map is loaded once and the inner loop is a handful of instructions:
 * in a small model this is a fifth of a window's work. */
void thar_count_map_apply(const thar_count_map *map, const uint8_t *counts, size_t samples,
                          int8_t *out) {
  const size_t channels = map->channels;
  for (size_t channel = 0; channel < channels; channel++) {
    const uint8_t *entry = map->entries + channel * THAR_COUNT_MAP_ENTRY_BYTES;
    const int32_t offset = thar_load_i32(entry);
    const int16_t multiplier = thar_load_i16(entry + 4);
    const uint8_t shift = entry[6];
    const uint8_t *from = counts + channel * sizeof(int16_t);
    int8_t *to = out + channel;
#pragma GCC unroll 4
    for (size_t sample = 0; sample < samples; sample++) {
      *to = thar_count_to_int8(thar_load_i16(from), multiplier, shift, offset);
      from += channels * sizeof(int16_t);
      to += channels;
    }
  }
}
