/* Frames: COBS (Cheshire and Baker, 1999) between zeros, CRC-16 at the end. See messages.h. */
#ifndef TINYHAR_FRAME_H
#define TINYHAR_FRAME_H

#include "tinyhar/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  THAR_FRAME_NONE,    /* nothing complete yet */
  THAR_FRAME_READY,   /* buffer holds type, seq and body: `length` bytes, the CRC was right */
  THAR_FRAME_BAD,     /* damaged: count it, forget it */
  THAR_FRAME_TOO_BIG, /* the CRC was right, the body too long; type and seq are in the buffer */
} thar_frame_event;

/* Decodes byte by byte; a 0x00 always starts afresh, so it is in step again one frame after any
 * garbage. */
typedef struct {
  uint8_t *buffer;
  size_t capacity;
  size_t length;   /* bytes of the finished frame, without its CRC */
  size_t decoded;  /* bytes of the running frame, with its CRC */
  uint16_t crc;    /* over all but the last two bytes, which may be the CRC */
  uint8_t last[2]; /* those two */
  uint8_t left;    /* bytes left in the COBS block */
  bool started;    /* a COBS code was seen */
  bool zero_next;  /* the block that ends stands for a zero */
} thar_decoder;

/* capacity: type, seq, body and CRC of the largest frame that is wanted, at least 4. */
void thar_decoder_init(thar_decoder *d, uint8_t *buffer, size_t capacity);
thar_frame_event thar_decoder_push(thar_decoder *d, uint8_t byte);

typedef void (*thar_sink)(void *ctx, const uint8_t *bytes, size_t size);

/* COBS of the payload and its CRC (which this adds), then 0x00, handed on in pieces of at most 255
 * bytes. */
void thar_frame_send(const uint8_t *payload, size_t size, thar_sink sink, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
