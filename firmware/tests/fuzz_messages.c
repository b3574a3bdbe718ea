/* Codecs: what a fixed part reads it writes again, byte by byte, and never beyond either end. First
 * byte: which part. */
#include <stdlib.h>
#include <string.h>

#include "tinyhar/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool right) {
  if (!right) {
    abort();
  }
}

#define THAR_CHECK_PART(c_name, LIST)                                          \
  static void check_##c_name(const uint8_t *bytes, size_t size) {              \
    const size_t whole = THAR_FIELD_BYTES(LIST);                               \
    thar_reader r = thar_reader_of(bytes, size);                               \
    const thar_##c_name value = thar_get_##c_name(&r);                         \
    expect(r.ok == (size >= whole) && r.at <= size);                           \
    uint8_t *copy = malloc(size + 1);                                          \
    expect(copy != NULL);                                                      \
    thar_writer w = thar_writer_of(copy, size);                                \
    thar_put_##c_name(&w, &value);                                             \
    expect(w.ok == (size >= whole) && w.at <= size);                           \
    expect(!w.ok || (w.at == whole && memcmp(copy, bytes, whole) == 0));       \
    free(copy);                                                                \
  }
THAR_FIXED_PARTS(THAR_CHECK_PART)

#define THAR_AS_CHECK(c_name, LIST) check_##c_name,
static void (*const checks[])(const uint8_t *, size_t) = {THAR_FIXED_PARTS(THAR_AS_CHECK)};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) {
    return 0;
  }
  uint8_t *bytes = malloc(size);
  expect(bytes != NULL);
  memcpy(bytes, data + 1, size - 1);
  checks[data[0] % (sizeof checks / sizeof checks[0])](bytes, size - 1);
  free(bytes);
  return 0;
}
