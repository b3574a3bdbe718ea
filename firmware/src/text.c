#include "text.h"

/* Continuation bytes behind a first byte, or -1 where none can stand. */
static int continuation_bytes(uint8_t first) {
  if (first < 0x80) {
    return first < 0x20 || first == 0x7F ? -1 : 0;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return 1;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    return 2;
  }
  return first >= 0xF0 && first <= 0xF4 ? 3 : -1;
}

/* The second byte's range keeps out overlong forms, surrogates and what lies beyond U+10FFFF. */
static bool second_byte_fits(uint8_t first, uint8_t second) {
  const uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  return second >= low && second <= high;
}

bool thar_text_is_name(const uint8_t *text, size_t size) {
  size_t at = 0;
  while (at < size) {
    const uint8_t first = text[at++];
    const int more = continuation_bytes(first);
    if (more < 0 || (size_t)more > size - at) {
      return false;
    }
    if (more > 0 && !second_byte_fits(first, text[at])) {
      return false;
    }
    for (int i = 1; i < more; i++) {
      if ((text[at + (size_t)i] & 0xC0) != 0x80) {
        return false;
      }
    }
    at += (size_t)more;
  }
  return size > 0;
}
