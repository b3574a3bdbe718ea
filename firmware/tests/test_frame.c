#include <string.h>

#include "check.h"
#include "tinyhar/checksum.h"
#include "tinyhar/frame.h"

static uint8_t line[4096];
static size_t line_size, pieces;

static void collect(void *ctx, const uint8_t *bytes, size_t size) {
  (void)ctx;
  memcpy(line + line_size, bytes, size);
  line_size += size;
  pieces++;
}

static const uint8_t *encoded(const uint8_t *payload, size_t size) {
  line_size = pieces = 0;
  thar_frame_send(payload, size, collect, NULL);
  return line;
}

static thar_frame_event feed(thar_decoder *d, const uint8_t *bytes, size_t size) {
  thar_frame_event last = THAR_FRAME_NONE;
  for (size_t i = 0; i < size; i++) {
    const thar_frame_event event = thar_decoder_push(d, bytes[i]);
    last = event != THAR_FRAME_NONE ? event : last;
  }
  return last;
}

static void known_checksums(void) {
  const uint8_t *digits = (const uint8_t *)"123456789";
  CHECK_EQUAL(thar_crc16(THAR_CRC16_START, digits, 9), 0x29B1);
  CHECK_EQUAL(thar_crc32(0, digits, 9), 0xCBF43926);
  CHECK_EQUAL(thar_crc32(thar_crc32(0, digits, 4), digits + 4, 5), 0xCBF43926);
  const uint8_t abc[] = {0xBA, 0x78, 0x16, 0xBF};
  CHECK(memcmp(thar_sha256((const uint8_t *)"abc", 3).bytes, abc, sizeof abc) == 0);
  const uint8_t nothing[] = {0xE3, 0xB0, 0xC4, 0x42};
  CHECK(memcmp(thar_sha256(NULL, 0).bytes, nothing, sizeof nothing) == 0);
}

static void every_length_comes_back(void) {
  uint8_t payload[700], buffer[702];
  thar_decoder d;
  thar_decoder_init(&d, buffer, sizeof buffer);
  for (size_t size = 2; size <= sizeof payload; size++) {
    for (int zeros = 0; zeros < 2; zeros++) {
      for (size_t i = 0; i < size; i++) {
        payload[i] = (uint8_t)(zeros && i % 3 == 0 ? 0 : 1 + i % 255);
      }
      (void)encoded(payload, size);
      CHECK(memchr(line, 0, line_size - 1) == NULL);
      CHECK(pieces <= line_size / 128 + 1); /* a line takes few large pieces, whatever the bytes */
      CHECK_EQUAL(feed(&d, line, line_size), THAR_FRAME_READY);
      CHECK_EQUAL(d.length, size);
      CHECK(memcmp(buffer, payload, size) == 0);
    }
  }
}

static void one_flipped_bit_is_bad_and_the_next_frame_good(void) {
  const uint8_t payload[] = {3, 7, 1, 0, 2, 0, 0, 5};
  uint8_t buffer[32];
  thar_decoder d;
  thar_decoder_init(&d, buffer, sizeof buffer);
  (void)encoded(payload, sizeof payload);
  for (size_t bit = 0; bit < 8 * (line_size - 1); bit++) {
    line[bit / 8] ^= (uint8_t)(1u << bit % 8);
    CHECK(feed(&d, line, line_size) != THAR_FRAME_READY);
    line[bit / 8] ^= (uint8_t)(1u << bit % 8);
    CHECK_EQUAL(feed(&d, line, line_size), THAR_FRAME_READY);
  }
}

static void too_big_is_told_with_type_and_seq(void) {
  uint8_t payload[64] = {3, 9};
  uint8_t buffer[16];
  thar_decoder d;
  thar_decoder_init(&d, buffer, sizeof buffer);
  (void)encoded(payload, sizeof payload);
  CHECK_EQUAL(feed(&d, line, line_size), THAR_FRAME_TOO_BIG);
  CHECK_EQUAL(buffer[0], 3);
  CHECK_EQUAL(buffer[1], 9);
  (void)encoded(payload, 14);
  CHECK_EQUAL(feed(&d, line, line_size), THAR_FRAME_READY);
  (void)encoded(payload, 15);
  CHECK_EQUAL(feed(&d, line, line_size), THAR_FRAME_TOO_BIG);
}

static void zeros_alone_are_no_frame(void) {
  const uint8_t zeros[8] = {0};
  uint8_t buffer[16];
  thar_decoder d;
  thar_decoder_init(&d, buffer, sizeof buffer);
  CHECK_EQUAL(feed(&d, zeros, sizeof zeros), THAR_FRAME_NONE);
}

int main(void) {
  RUN(known_checksums);
  RUN(every_length_comes_back);
  RUN(one_flipped_bit_is_bad_and_the_next_frame_good);
  RUN(too_big_is_told_with_type_and_seq);
  RUN(zeros_alone_are_no_frame);
  return checks_failed;
}
