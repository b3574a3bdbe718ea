/* Little-endian bytes, read and written with their bounds.
 *
 * A reader or writer that ran past its end has ok == false and stays so; it never touched a byte
 * outside the buffer, and what it read is 0. Check ok once, at the end. */
#ifndef TINYHAR_BYTES_H
#define TINYHAR_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define THAR_ID_BYTES 32

/* A SHA-256. */
typedef struct {
  uint8_t bytes[THAR_ID_BYTES];
} thar_id32;

typedef struct {
  const uint8_t *data;
  size_t size;
  size_t at;
  bool ok;
} thar_reader;

typedef struct {
  uint8_t *data;
  size_t size;
  size_t at;
  bool ok;
} thar_writer;

/* Loads that the caller has bounded; inline, because the count map is nothing but loads. */
static inline uint16_t thar_load_u16(const uint8_t *bytes) {
  return (uint16_t)(bytes[0] | (bytes[1] << 8));
}

static inline uint32_t thar_load_u32(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | ((uint32_t)bytes[1] << 8) | ((uint32_t)bytes[2] << 16) |
         ((uint32_t)bytes[3] << 24);
}

static inline int16_t thar_load_i16(const uint8_t *bytes) {
  return (int16_t)thar_load_u16(bytes);
}

static inline int32_t thar_load_i32(const uint8_t *bytes) {
  return (int32_t)thar_load_u32(bytes);
}

thar_reader thar_reader_of(const uint8_t *data, size_t size);
size_t thar_reader_left(const thar_reader *r);
/* The next `size` bytes in place, or NULL (and ok false) when there are fewer. */
const uint8_t *thar_get_bytes(thar_reader *r, size_t size);
uint8_t thar_get_u8(thar_reader *r);
int8_t thar_get_i8(thar_reader *r);
uint16_t thar_get_u16(thar_reader *r);
uint32_t thar_get_u32(thar_reader *r);
thar_id32 thar_get_id32(thar_reader *r);

thar_writer thar_writer_of(uint8_t *data, size_t size);
/* Room for `size` bytes in place, or NULL (and ok false) when there is less. */
uint8_t *thar_put_space(thar_writer *w, size_t size);
void thar_put_bytes(thar_writer *w, const void *bytes, size_t size);
void thar_put_u8(thar_writer *w, uint8_t value);
void thar_put_u16(thar_writer *w, uint16_t value);
void thar_put_u32(thar_writer *w, uint32_t value);
void thar_put_id32(thar_writer *w, thar_id32 value);

/* A layout is a macro LIST(F) of F(type, name); these turn it into struct members, a size in bytes,
 * and the body of a reader. */
#define THAR_C_u8 uint8_t
#define THAR_C_i8 int8_t
#define THAR_C_u16 uint16_t
#define THAR_C_u32 uint32_t
#define THAR_C_id32 thar_id32
#define THAR_AS_MEMBER(type, name) THAR_C_##type name;
#define THAR_AS_SIZE(type, name) +sizeof(THAR_C_##type)
#define THAR_FIELD_BYTES(LIST) ((size_t)(0 LIST(THAR_AS_SIZE)))

#ifdef __cplusplus
}
#endif

#endif
