/* Frames: any bytes off a line into a buffer of exactly its capacity, and any payload there and
 * back. First byte: the capacity. */
#include <stdlib.h>
#include <string.h>

#include "fuzz_port.h"

typedef struct {
  thar_decoder decoder;
  uint8_t *buffer;
  size_t ready;
} ear;

static ear open_ear(size_t capacity) {
  ear e = {.buffer = malloc(capacity)};
  fuzz_expect(e.buffer != NULL);
  thar_decoder_init(&e.decoder, e.buffer, capacity);
  return e;
}

static void hear(void *ctx, const uint8_t *bytes, size_t size) {
  ear *e = ctx;
  fuzz_expect(size >= 1 && size <= 255);
  for (size_t i = 0; i < size; i++) {
    const thar_frame_event event = thar_decoder_push(&e->decoder, bytes[i]);
    fuzz_expect(event == THAR_FRAME_NONE || event == THAR_FRAME_READY);
    e->ready += event == THAR_FRAME_READY;
  }
}

/* What is sent is heard, as one frame and the same. */
static void there_and_back(const uint8_t *payload, size_t size) {
  ear e = open_ear(size + THAR_CRC_BYTES);
  thar_frame_send(payload, size, hear, &e);
  fuzz_expect(e.ready == 1 && e.decoder.length == size && memcmp(e.buffer, payload, size) == 0);
  free(e.buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) {
    return 0;
  }
  ear e = open_ear(4u + data[0]);
  for (size_t i = 1; i < size; i++) {
    if (thar_decoder_push(&e.decoder, data[i]) == THAR_FRAME_READY) {
      fuzz_expect(e.decoder.length >= THAR_HEADER_BYTES);
      there_and_back(e.buffer, e.decoder.length);
    }
  }
  free(e.buffer);
  if (size >= 1 + THAR_HEADER_BYTES) {
    there_and_back(data + 1, size - 1);
  }
  return 0;
}
