/* A bundle: one file with all that a band needs to run a model.
 *
 * Little-endian. A header of 128 bytes, then the sections below, in this order, each starting at
 * the next multiple of 16; the file ends at a multiple of 16. Bytes between sections are 0. Put
 * the file at an address that is a multiple of 16 and the model can run in place.
 *
 *   class names      classes times: length u8 (>= 1), utf-8
 *   channels         channels times: lsb f64 (SI units per count), length u8, name, length u8, unit
 *   count map        channels times: offset i32, multiplier i16, shift u8, 0 (see counts.h)
 *   model            for the engine that the header names
 *   golden counts    int16[golden][window][channels]
 *   golden logits    int8[golden][classes], what the model must answer
 *   teaching         nothing where embedding is 0, else (see teaching.h) zero point i8, shift u8,
 *                    multiplier u16, precision int8[embedding * (embedding + 1) / 2], means
 *                    int8[classes][embedding]
 *
 * crc32 (IEEE) is over all bytes but its own four; identity is the SHA-256 of everything behind
 * it, so equal content has equal identity. Names hold no control characters and no class or
 * channel name comes twice. tinyhar/convert/bundle.py reads and writes the same format. */
#ifndef TINYHAR_BUNDLE_H
#define TINYHAR_BUNDLE_H

#include "tinyhar/counts.h"

#ifdef __cplusplus
extern "C" {
#endif

#define THAR_BUNDLE_MAGIC 0x42414854u /* "THAB" */
#define THAR_BUNDLE_FORMAT 1
#define THAR_BUNDLE_HEADER_BYTES 128
#define THAR_BUNDLE_ALIGN 16
#define THAR_BUNDLE_CRC_AT 12
#define THAR_BUNDLE_CONTENT_AT 48
#define THAR_BUNDLE_MOST_EMBEDDING 256
#define THAR_BUNDLE_LARGEST_SHIFT 62

/* F(type, name) in file order; zeros fill the header to 128 bytes. rate in millihertz; output_scale
 * is a float32's bits (the band never computes with it). */
#define THAR_BUNDLE_HEADER(F)  \
  F(u32, magic)                \
  F(u16, format)               \
  F(u16, header_bytes)         \
  F(u32, total_bytes)          \
  F(u32, crc32)                \
  F(id32, identity)            \
  F(u16, window)               \
  F(u16, stride)               \
  F(u8, channels)              \
  F(u8, classes)               \
  F(u8, engine)                \
  F(u8, golden)                \
  F(u32, rate_mhz)             \
  F(u32, arena_bytes)          \
  F(u32, output_scale)         \
  F(i8, output_zero_point)     \
  F(u8, smooth_length)         \
  F(u8, smooth_hold)           \
  F(u8, reserved)              \
  F(u32, class_names_bytes)    \
  F(u32, channels_bytes)       \
  F(u32, count_map_bytes)      \
  F(u32, model_bytes)          \
  F(u32, golden_counts_bytes)  \
  F(u32, golden_logits_bytes)  \
  F(u32, teaching_bytes)       \
  F(u16, embedding)

typedef struct {
  THAR_BUNDLE_HEADER(THAR_AS_MEMBER)
} thar_bundle_header;

typedef struct {
  const char *data; /* not terminated */
  uint8_t size;
} thar_text;

/* A view into the bytes, which must stay where they are. */
typedef struct {
  thar_bundle_header header;
  const uint8_t *class_names;
  const uint8_t *channel_table;
  thar_count_map count_map;
  const uint8_t *model;
  const uint8_t *golden_counts;
  const int8_t *golden_logits;
  const uint8_t *teaching;
} thar_bundle;

/* Checks every byte. Returns NULL, or the name of the first field that is wrong (then *b is not to
 * be used); the desk's reader names the same one. */
const char *thar_bundle_open(thar_bundle *b, const uint8_t *bytes, size_t size);

/* index below classes or channels; the text is empty otherwise. */
thar_text thar_bundle_class_name(const thar_bundle *b, uint8_t index);
thar_text thar_bundle_channel_name(const thar_bundle *b, uint8_t index);

/* index below golden. */
const uint8_t *thar_bundle_golden_counts(const thar_bundle *b, uint8_t index);
const int8_t *thar_bundle_golden_logits(const thar_bundle *b, uint8_t index);

#ifdef __cplusplus
}
#endif

#endif
