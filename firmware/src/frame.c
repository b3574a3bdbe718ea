#include "tinyhar/frame.h"

#include <string.h>

#include "tinyhar/checksum.h"
#include "tinyhar/messages.h"

#define COBS_FULL 0xFF
#define SMALLEST (THAR_HEADER_BYTES + THAR_CRC_BYTES)

static void restart(thar_decoder *d) {
  d->decoded = 0;
  d->crc = THAR_CRC16_START;
  d->left = 0;
  d->started = false;
  d->zero_next = false;
}

void thar_decoder_init(thar_decoder *d, uint8_t *buffer, size_t capacity) {
  d->buffer = buffer;
  d->capacity = capacity;
  d->length = 0;
  d->last[0] = d->last[1] = 0;
  restart(d);
}

static void append(thar_decoder *d, uint8_t byte) {
  if (d->decoded >= THAR_CRC_BYTES) {
    d->crc = thar_crc16(d->crc, &d->last[0], 1);
  }
  d->last[0] = d->last[1];
  d->last[1] = byte;
  if (d->decoded < d->capacity) {
    d->buffer[d->decoded] = byte;
  }
  d->decoded++;
}

static thar_frame_event finish(thar_decoder *d) {
  thar_frame_event event = THAR_FRAME_READY;
  if (!d->started) {
    event = THAR_FRAME_NONE;
  } else if (d->left != 0 || d->decoded < SMALLEST || thar_load_u16(d->last) != d->crc) {
    event = THAR_FRAME_BAD;
  } else if (d->decoded > d->capacity) {
    event = THAR_FRAME_TOO_BIG;
  } else {
    d->length = d->decoded - THAR_CRC_BYTES;
  }
  restart(d);
  return event;
}

thar_frame_event thar_decoder_push(thar_decoder *d, uint8_t byte) {
  if (byte == 0) {
    return finish(d);
  }
  if (d->left != 0) {
    append(d, byte);
    d->left--;
    return THAR_FRAME_NONE;
  }
  if (d->zero_next) {
    append(d, 0);
  }
  d->started = true;
  d->left = (uint8_t)(byte - 1);
  d->zero_next = byte != COBS_FULL;
  return THAR_FRAME_NONE;
}

/* COBS blocks are gathered so that the line gets a few large pieces. One block is open at a time,
 * from its code on: up to 254 bytes without a zero. */
typedef struct {
  uint8_t bytes[COBS_FULL + 1];
  size_t open; /* where the open block's code stands */
  size_t size;
  thar_sink sink;
  void *ctx;
} encoder;

/* What is closed goes to the line. */
static void flush(encoder *e) {
  e->sink(e->ctx, e->bytes, e->open);
  memmove(e->bytes, e->bytes + e->open, e->size - e->open);
  e->size -= e->open;
  e->open = 0;
}

/* The open block is never as long as the buffer: what is full holds a closed one. */
static void put(encoder *e, uint8_t byte) {
  if (e->size == sizeof e->bytes) {
    flush(e);
  }
  e->bytes[e->size++] = byte;
}

static void close_block(encoder *e) {
  e->bytes[e->open] = (uint8_t)(e->size - e->open);
  e->open = e->size;
}

static void encode(encoder *e, const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    /* A full block is closed when another byte comes, so that no frame ends in an empty one. */
    if (e->size - e->open == COBS_FULL) {
      close_block(e);
      put(e, 0);
    }
    if (bytes[i] == 0) {
      close_block(e);
    }
    put(e, bytes[i]); /* a zero where the next block's code will stand */
  }
}

void thar_frame_send(const uint8_t *payload, size_t size, thar_sink sink, void *ctx) {
  const uint16_t crc = thar_crc16(THAR_CRC16_START, payload, size);
  const uint8_t trailer[THAR_CRC_BYTES] = {(uint8_t)(crc & 0xFF), (uint8_t)(crc >> 8)};
  encoder e = {.size = 1, .sink = sink, .ctx = ctx};
  encode(&e, payload, size);
  encode(&e, trailer, sizeof trailer);
  close_block(&e);
  put(&e, 0); /* the frame's end */
  e.open = e.size;
  flush(&e);
}
