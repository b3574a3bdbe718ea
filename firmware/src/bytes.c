#include "tinyhar/bytes.h"

#include <string.h>

thar_reader thar_reader_of(const uint8_t *data, size_t size) {
  thar_reader r = {data, size, 0, true};
  return r;
}

size_t thar_reader_left(const thar_reader *r) {
  return r->ok ? r->size - r->at : 0;
}

const uint8_t *thar_get_bytes(thar_reader *r, size_t size) {
  if (!r->ok || size > r->size - r->at) {
    r->ok = false;
    return NULL;
  }
  const uint8_t *here = r->data + r->at;
  r->at += size;
  return here;
}

uint8_t thar_get_u8(thar_reader *r) {
  const uint8_t *bytes = thar_get_bytes(r, 1);
  return bytes != NULL ? bytes[0] : 0;
}

int8_t thar_get_i8(thar_reader *r) {
  return (int8_t)thar_get_u8(r);
}

uint16_t thar_get_u16(thar_reader *r) {
  const uint8_t *bytes = thar_get_bytes(r, 2);
  return bytes != NULL ? thar_load_u16(bytes) : 0;
}

uint32_t thar_get_u32(thar_reader *r) {
  const uint8_t *bytes = thar_get_bytes(r, 4);
  return bytes != NULL ? thar_load_u32(bytes) : 0;
}

thar_id32 thar_get_id32(thar_reader *r) {
  thar_id32 id = {{0}};
  const uint8_t *bytes = thar_get_bytes(r, THAR_ID_BYTES);
  if (bytes != NULL) {
    memcpy(id.bytes, bytes, THAR_ID_BYTES);
  }
  return id;
}

thar_writer thar_writer_of(uint8_t *data, size_t size) {
  thar_writer w = {data, size, 0, true};
  return w;
}

uint8_t *thar_put_space(thar_writer *w, size_t size) {
  if (!w->ok || size > w->size - w->at) {
    w->ok = false;
    return NULL;
  }
  uint8_t *here = w->data + w->at;
  w->at += size;
  return here;
}

void thar_put_bytes(thar_writer *w, const void *bytes, size_t size) {
  uint8_t *here = thar_put_space(w, size);
  if (here != NULL && size > 0) {
    memcpy(here, bytes, size);
  }
}

void thar_put_u8(thar_writer *w, uint8_t value) {
  thar_put_bytes(w, &value, 1);
}

void thar_put_u16(thar_writer *w, uint16_t value) {
  const uint8_t bytes[2] = {(uint8_t)(value & 0xFF), (uint8_t)(value >> 8)};
  thar_put_bytes(w, bytes, sizeof bytes);
}

void thar_put_u32(thar_writer *w, uint32_t value) {
  const uint8_t bytes[4] = {(uint8_t)(value & 0xFF), (uint8_t)((value >> 8) & 0xFF),
                            (uint8_t)((value >> 16) & 0xFF), (uint8_t)(value >> 24)};
  thar_put_bytes(w, bytes, sizeof bytes);
}

void thar_put_id32(thar_writer *w, thar_id32 value) {
  thar_put_bytes(w, value.bytes, THAR_ID_BYTES);
}
