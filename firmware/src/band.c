#include "tinyhar/band.h"

#include <string.h>

#include "answers.h"
#include "tinyhar/port.h"

/* Requests this far ahead of the last one are new, the others are late copies. */
#define LARGEST_STEP 127
#define READ_BYTES 64
#define REFUSAL_BYTES 160

_Static_assert(THAR_MAX_BODY >= 64 && THAR_MAX_BODY <= UINT16_MAX, "max_body is a u16");
_Static_assert(THAR_MAX_CLASSES >= 1 && THAR_MAX_CLASSES < THAR_NONE, "255 stands for none");
_Static_assert(THAR_MAX_SMOOTH_LENGTH >= 1 && THAR_MAX_SMOOTH_LENGTH <= UINT8_MAX, "a u8");
_Static_assert(THAR_OUTBOX_BYTES >= 2 * THAR_OUTBOX_RESERVE, "an event and the response");
_Static_assert(THAR_OUTBOX_BYTES <= UINT16_MAX, "frames in the outbox have u16 lengths");

/* ---- shared by the answers ---- */

thar_refusal thar_refuse(uint8_t code, const char *text) {
  const thar_refusal refusal = {code, text, NULL};
  return refusal;
}

thar_refusal thar_expect_end(const thar_reader *body) {
  if (!body->ok || thar_reader_left(body) != 0) {
    return thar_refuse(THAR_ERR_BAD_LENGTH, "the body is too short or too long");
  }
  return THAR_DONE;
}

thar_refusal thar_expect_model(const thar_band *band) {
  const thar_model *m = &band->model;
  if (m->problem != NULL) {
    const thar_refusal refusal = {THAR_ERR_NO_MODEL, m->problem, m->field};
    return refusal;
  }
  return THAR_DONE;
}

size_t thar_samples_left(const thar_band *band, const thar_reader *body) {
  const size_t sample_bytes = band->model.bundle.header.channels * sizeof(int16_t);
  const size_t left = thar_reader_left(body);
  return left % sample_bytes == 0 ? left / sample_bytes : 0;
}

thar_writer thar_open_response(thar_band *band) {
  return thar_outbox_open(&band->outbox, band->last.type | THAR_RESPONSE_BIT, band->last.seq);
}

thar_refusal thar_send_response(thar_band *band, const thar_writer *response) {
  if (!thar_outbox_send(&band->outbox, response)) {
    return thar_refuse(THAR_ERR_TOO_BIG, "the answer does not fit the outbox");
  }
  return THAR_DONE;
}

/* ---- refusals ---- */

static void put_refusal(thar_writer *out, uint8_t request, thar_refusal refusal) {
  const thar_error_body body = {refusal.code, request};
  thar_put_error_body(out, &body);
  thar_put_bytes(out, refusal.text, strlen(refusal.text));
  if (refusal.detail != NULL) {
    thar_put_bytes(out, ": ", 2);
    thar_put_bytes(out, refusal.detail, strlen(refusal.detail));
  }
}

static void to_port(void *ctx, const uint8_t *bytes, size_t size) {
  (void)ctx;
  thar_port_write(bytes, size);
}

/* Past the outbox, which still holds the answer to the last request. */
static void refuse_late(const thar_request *request) {
  uint8_t bytes[REFUSAL_BYTES];
  thar_writer out = thar_writer_of(bytes, sizeof bytes);
  thar_put_u8(&out, THAR_MSG_ERROR);
  thar_put_u8(&out, request->seq);
  put_refusal(&out, request->type,
              thar_refuse(THAR_ERR_OUT_OF_ORDER, "seq is not ahead of the last; IDENTIFY first"));
  thar_frame_send(bytes, out.at, to_port, NULL);
}

/* ---- requests ---- */

static const struct {
  uint8_t type;
  thar_answer answer;
} answers[] = {
    {THAR_MSG_IDENTIFY, thar_answer_identify}, {THAR_MSG_DESCRIBE, thar_answer_describe},
    {THAR_MSG_INFER, thar_answer_infer},       {THAR_MSG_TRACE, thar_answer_trace},
    {THAR_MSG_STREAM, thar_answer_stream},     {THAR_MSG_SELFTEST, thar_answer_selftest},
    {THAR_MSG_STATS, thar_answer_stats},       {THAR_MSG_SETTINGS, thar_answer_settings},
    {THAR_MSG_RESET, thar_answer_reset},       {THAR_MSG_SLOT, thar_answer_slot},
    {THAR_MSG_BLOCKS, thar_answer_blocks},     {THAR_MSG_BEGIN, thar_answer_begin},
    {THAR_MSG_CHUNK, thar_answer_chunk},       {THAR_MSG_COPY, thar_answer_copy},
    {THAR_MSG_COMMIT, thar_answer_commit},     {THAR_MSG_ABORT, thar_answer_abort},
    {THAR_MSG_ROLLBACK, thar_answer_rollback}, {THAR_MSG_TEACH, thar_answer_teach},
    {THAR_MSG_TAUGHT, thar_answer_taught},     {THAR_MSG_LIVE, thar_answer_live},
};

static thar_refusal answer(thar_band *band, thar_reader *body) {
  for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
    if (answers[i].type == band->last.type) {
      return answers[i].answer(band, body);
    }
  }
  return thar_refuse(THAR_ERR_UNKNOWN_REQUEST, "unknown request");
}

/* Whether the request is new; if not, it has been dealt with. */
static bool is_new(thar_band *band, const thar_request *request) {
  if (request->type == THAR_MSG_IDENTIFY || !band->has_last) {
    return true;
  }
  const thar_request *last = &band->last;
  const uint8_t step = (uint8_t)(request->seq - last->seq);
  if (step == 0 && request->type == last->type && request->crc == last->crc) {
    thar_outbox_repeat(&band->outbox);
    return false;
  }
  if (step == 0 || step > LARGEST_STEP) {
    refuse_late(request);
    return false;
  }
  return true;
}

static void on_frame(thar_band *band, bool too_big) {
  const thar_decoder *d = &band->decoder;
  const thar_request request = {band->frame[0], band->frame[1], thar_load_u16(d->last)};
  /* Responses and errors are never for a band; answering one could start an endless exchange. */
  if ((request.type & THAR_RESPONSE_BIT) != 0 || !is_new(band, &request)) {
    return;
  }
  band->last = request;
  band->has_last = true;
  thar_outbox_clear(&band->outbox);
  thar_reader body =
      thar_reader_of(band->frame + THAR_HEADER_BYTES, too_big ? 0 : d->length - THAR_HEADER_BYTES);
  const thar_refusal no = too_big ? thar_refuse(THAR_ERR_TOO_BIG, "the body is above max_body")
                                  : answer(band, &body);
  if (no.code != THAR_ERR_NONE) {
    thar_writer out = thar_outbox_open(&band->outbox, THAR_MSG_ERROR, request.seq);
    put_refusal(&out, request.type, no);
    (void)thar_outbox_send(&band->outbox, &out);
  }
}

/* ---- life ---- */

void thar_band_init(thar_band *band, uint8_t *arena, size_t arena_bytes) {
  memset(band, 0, sizeof *band);
  band->arena = arena;
  band->arena_bytes = arena_bytes;
  thar_decoder_init(&band->decoder, band->frame, sizeof band->frame);
  thar_load_at_boot(band);
}

void thar_band_announce(thar_band *band) {
  const uint8_t flush = 0;
  thar_port_write(&flush, 1);
  thar_outbox_clear(&band->outbox);
  thar_writer out = thar_outbox_open(&band->outbox, THAR_MSG_BOOT, band->event_seq++);
  thar_put_identity(band, &out);
  (void)thar_outbox_send_event(&band->outbox, &out);
  thar_outbox_clear(&band->outbox);
}

void thar_band_receive(thar_band *band, const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    switch (thar_decoder_push(&band->decoder, bytes[i])) {
      case THAR_FRAME_READY:
        band->stats.frames_ok++;
        on_frame(band, false);
        break;
      case THAR_FRAME_TOO_BIG:
        band->stats.frames_bad++;
        on_frame(band, true);
        break;
      case THAR_FRAME_BAD:
        band->stats.frames_bad++;
        break;
      case THAR_FRAME_NONE:
        break;
    }
  }
}

void thar_band_run(void) {
  static thar_band band;
  static _Alignas(16) uint8_t arena[THAR_ARENA_BYTES];
  uint8_t bytes[READ_BYTES];
  thar_band_init(&band, arena, sizeof arena);
  thar_band_announce(&band);
  for (;;) {
    const size_t size = thar_port_read(bytes, sizeof bytes);
    thar_band_receive(&band, bytes, size);
  }
}
