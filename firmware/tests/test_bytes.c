#include <string.h>

#include "check.h"
#include "tinyhar/messages.h"

static void a_reader_stops_at_its_end(void) {
  const uint8_t bytes[] = {1, 2, 3, 4, 5};
  thar_reader r = thar_reader_of(bytes, sizeof bytes);
  CHECK_EQUAL(thar_get_u32(&r), 0x04030201);
  CHECK_EQUAL(thar_get_u16(&r), 0);
  CHECK(!r.ok);
  CHECK_EQUAL(thar_get_u8(&r), 0); /* there is a byte, but what came before it is missing */
  CHECK_EQUAL(thar_reader_left(&r), 0);
}

static void a_writer_touches_nothing_behind_its_end(void) {
  uint8_t bytes[6] = {0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE};
  thar_writer w = thar_writer_of(bytes, 5);
  thar_put_u32(&w, 0x04030201);
  thar_put_u16(&w, 0x0605);
  CHECK(!w.ok);
  CHECK_EQUAL(w.at, 4);
  CHECK_EQUAL(bytes[4], 0xEE);
  CHECK_EQUAL(bytes[5], 0xEE);
}

static void identity_is_as_long_as_its_fields(void) {
  uint8_t bytes[128];
  thar_identify_response out, back;
  memset(&out, 0x5A, sizeof out);
  thar_writer w = thar_writer_of(bytes, sizeof bytes);
  thar_put_identify_response(&w, &out);
  CHECK_EQUAL(w.at, THAR_FIELD_BYTES(THAR_IDENTIFY_RESPONSE));
  CHECK_EQUAL(w.at, 4 + 4 + 2 + 6 + 4 + 4 + 4 + 2 + 8 + 32 + 1);
  thar_reader r = thar_reader_of(bytes, w.at);
  back = thar_get_identify_response(&r);
  CHECK(r.ok);
  CHECK_EQUAL(back.tick_hz, out.tick_hz);
  CHECK(memcmp(&back.bundle_id, &out.bundle_id, sizeof back.bundle_id) == 0);
}

int main(void) {
  RUN(a_reader_stops_at_its_end);
  RUN(a_writer_touches_nothing_behind_its_end);
  RUN(identity_is_as_long_as_its_fields);
  return checks_failed;
}
