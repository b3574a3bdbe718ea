/* A whole band that is asked one thing after another, in whole frames: the CRC keeps random bytes
 * from getting further than the decoder. Among them: restarts, power cuts, failing flash, and
 * the steps of the deployment of a bundle that is as it should be.
 *
 *   op u8, then: 0 restart: reason; 1 cut: after so many flash operations; 2 flash works or not;
 *   3 raw bytes: size u8, bytes; 4 BEGIN of the good bundle; 5 its next bytes: how many / 16;
 *   6 a request with its own seq: type, seq, size u16, body; else: type, size u16, body */
#include <string.h>

#include "fuzz_port.h"

#define MOST_BUNDLE 2048

static uint8_t good[MOST_BUNDLE];
static uint32_t good_bytes;
static uint32_t good_sent;
static uint8_t payload[THAR_HEADER_BYTES + THAR_MAX_BODY + 64];
static uint8_t seq;

/* The image's bundle with a class called otherwise. */
static void make_good(void) {
  good_bytes = (uint32_t)(thar_bundle_end - thar_bundle_start);
  fuzz_expect(good_bytes <= sizeof good);
  memcpy(good, thar_bundle_start, good_bytes);
  good[THAR_BUNDLE_HEADER_BYTES + 1] ^= 1;
  fuzz_repair_bundle(good, good_bytes);
}

static bool ask(uint8_t type, uint8_t number, const uint8_t *body, size_t size) {
  payload[0] = type;
  payload[1] = number;
  if (size != 0) {
    memmove(payload + THAR_HEADER_BYTES, body, size);
  }
  return fuzz_ask(payload, THAR_HEADER_BYTES + size);
}

static bool begin(void) {
  thar_bundle b;
  fuzz_expect(thar_bundle_open(&b, good, good_bytes) == NULL);
  const thar_bundle_header *h = &b.header;
  const thar_begin_request q = {
      .bundle_bytes = good_bytes,
      .crc32 = h->crc32,
      .bundle_id = h->identity,
      .window = h->window,
      .channels = h->channels,
      .classes = h->classes,
      .engine = h->engine,
      .smooth_length = h->smooth_length,
      .arena_bytes = h->arena_bytes,
      .rate_mhz = h->rate_mhz,
      .any_sensors = 1,
  };
  uint8_t body[THAR_FIELD_BYTES(THAR_BEGIN_REQUEST)];
  thar_writer w = thar_writer_of(body, sizeof body);
  thar_put_begin_request(&w, &q);
  good_sent = 0;
  return ask(THAR_MSG_BEGIN, ++seq, body, w.at);
}

static bool next_bytes(uint32_t cells) {
  uint8_t body[4 + MOST_BUNDLE];
  const uint32_t left = good_bytes - good_sent, wanted = 16 * cells;
  const uint32_t size = wanted < left ? wanted : left;
  thar_writer w = thar_writer_of(body, sizeof body);
  thar_put_u32(&w, good_sent);
  thar_put_bytes(&w, good + good_sent, size);
  good_sent += size;
  return ask(THAR_MSG_CHUNK, ++seq, body, w.at);
}

static bool request(thar_reader *r, bool own_seq) {
  const uint8_t type = thar_get_u8(r);
  const uint8_t number = own_seq ? thar_get_u8(r) : ++seq;
  const size_t wanted = thar_get_u16(r), left = thar_reader_left(r);
  const size_t most = sizeof payload - THAR_HEADER_BYTES;
  const size_t here = wanted < left ? wanted : left, size = here < most ? here : most;
  seq = number;
  return ask(type, number, thar_get_bytes(r, size), size);
}

static bool step(thar_reader *r) {
  const uint8_t op = thar_get_u8(r);
  switch (op) {
    case 0:
      return fuzz_boot(thar_get_u8(r) % 6);
    case 1:
      fuzz.cut_after = thar_get_u8(r);
      return true;
    case 2:
      fuzz.flash_dead = thar_get_u8(r) % 2 != 0;
      return true;
    case 3: {
      const size_t wanted = thar_get_u8(r), left = thar_reader_left(r);
      const size_t size = wanted < left ? wanted : left;
      return fuzz_receive(thar_get_bytes(r, size), size);
    }
    case 4:
      return begin();
    case 5:
      return next_bytes(thar_get_u8(r));
    default:
      return request(r, op == 6);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  thar_reader r = thar_reader_of(data, size);
  if (good_bytes == 0) {
    make_good();
  }
  fuzz_fresh_and_booted();
  seq = 0;
  good_sent = 0;
  while (thar_reader_left(&r) != 0 && r.ok) {
    if (!step(&r)) {
      fuzz.cut_after = -1;
      fuzz_expect(fuzz_boot(THAR_RESET_REASON_POWER_ON));
    }
  }
  fuzz_expect_whole();
  thar_model running = fuzz_band()->model;
  fuzz_expect(thar_model_try(&running) == THAR_NONE);
  return 0;
}
