/* Sensor counts to the model's int8, in integers: the normalisation and the input quantisation
 * folded into one affine map per channel. tinyhar/counts.py does the same, byte for byte. */
#ifndef TINYHAR_COUNTS_H
#define TINYHAR_COUNTS_H

#include "tinyhar/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A channel's map as it stands in the bundle: offset i32, multiplier i16, shift u8, 0.
 * |multiplier| <= 32767, |offset| < 2^30, shift <= 22: then nothing here overflows int32. */
#define THAR_COUNT_MAP_ENTRY_BYTES 8
#define THAR_COUNT_MAP_MAX_SHIFT 22
#define THAR_COUNT_MAP_OFFSET_LIMIT ((int32_t)1 << 30)

typedef struct {
  const uint8_t *entries; /* channels of them, used in place */
  uint8_t channels;
} thar_count_map;

/* clamp((count * multiplier + offset) >> shift) to int8, the shift rounding down. */
int8_t thar_count_to_int8(int16_t count, int16_t multiplier, uint8_t shift, int32_t offset);

/* counts: int16[samples][channels], little-endian, at any address; out: int8[samples][channels]. */
void thar_count_map_apply(const thar_count_map *map, const uint8_t *counts, size_t samples,
                          int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
