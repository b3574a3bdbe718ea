/* What the band says. The frames of the running request are kept until the next one, so that a host
 * that lost some of them gets the same bytes again. */
#ifndef TINYHAR_OUTBOX_H
#define TINYHAR_OUTBOX_H

#include "tinyhar/bytes.h"
#include "tinyhar/config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Room for any event, response or refusal of a STREAM. Events that would leave less than this are
 * sent, but not kept. */
#define THAR_OUTBOX_RESERVE (128 + THAR_MAX_CLASSES)

typedef struct {
  uint8_t bytes[THAR_OUTBOX_BYTES]; /* length u16, then type, seq and body; again */
  size_t used;
} thar_outbox;

void thar_outbox_clear(thar_outbox *o);

/* A writer that stands behind type and seq; one frame is open at a time. */
thar_writer thar_outbox_open(thar_outbox *o, uint8_t type, uint8_t seq);

/* Sends what the writer holds and keeps it; false: it did not fit, and nothing was sent. */
bool thar_outbox_send(thar_outbox *o, const thar_writer *frame);
bool thar_outbox_send_event(thar_outbox *o, const thar_writer *frame);

/* All that is kept once more, in the same order. */
void thar_outbox_repeat(const thar_outbox *o);

#ifdef __cplusplus
}
#endif

#endif
