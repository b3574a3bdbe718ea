#include "tinyhar/outbox.h"

#include "tinyhar/frame.h"
#include "tinyhar/port.h"

#define LENGTH_BYTES 2

static void to_port(void *ctx, const uint8_t *bytes, size_t size) {
  (void)ctx;
  thar_port_write(bytes, size);
}

void thar_outbox_clear(thar_outbox *o) {
  o->used = 0;
}

thar_writer thar_outbox_open(thar_outbox *o, uint8_t type, uint8_t seq) {
  thar_writer w = thar_writer_of(o->bytes + o->used, sizeof o->bytes - o->used);
  thar_put_u16(&w, 0);
  thar_put_u8(&w, type);
  thar_put_u8(&w, seq);
  return w;
}

bool thar_outbox_send(thar_outbox *o, const thar_writer *frame) {
  if (!frame->ok) {
    return false;
  }
  const size_t length = frame->at - LENGTH_BYTES;
  thar_writer head = thar_writer_of(frame->data, LENGTH_BYTES);
  thar_put_u16(&head, (uint16_t)length);
  o->used += frame->at;
  thar_frame_send(frame->data + LENGTH_BYTES, length, to_port, NULL);
  return true;
}

bool thar_outbox_send_event(thar_outbox *o, const thar_writer *frame) {
  const size_t before = o->used;
  if (!thar_outbox_send(o, frame)) {
    return false;
  }
  if (sizeof o->bytes - o->used < THAR_OUTBOX_RESERVE) {
    o->used = before;
  }
  return true;
}

void thar_outbox_repeat(const thar_outbox *o) {
  size_t at = 0;
  while (at < o->used) {
    const size_t length = thar_load_u16(o->bytes + at);
    thar_frame_send(o->bytes + at + LENGTH_BYTES, length, to_port, NULL);
    at += LENGTH_BYTES + length;
  }
}
