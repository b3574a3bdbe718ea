/* One function a request, in the answer_*.c files. */
#ifndef TINYHAR_SRC_ANSWERS_H
#define TINYHAR_SRC_ANSWERS_H

#include "tinyhar/band.h"

/* Why a request was not done; code THAR_ERR_NONE: it was. */
typedef struct {
  uint8_t code;
  const char *text;
  const char *detail; /* or NULL */
} thar_refusal;

#define THAR_DONE ((thar_refusal){THAR_ERR_NONE, NULL, NULL})

/* Reads the request's body, does the work, and sends the response or returns a refusal. */
typedef thar_refusal (*thar_answer)(thar_band *band, thar_reader *body);

thar_refusal thar_answer_identify(thar_band *band, thar_reader *body);
thar_refusal thar_answer_describe(thar_band *band, thar_reader *body);
thar_refusal thar_answer_infer(thar_band *band, thar_reader *body);
thar_refusal thar_answer_trace(thar_band *band, thar_reader *body);
thar_refusal thar_answer_stream(thar_band *band, thar_reader *body);
thar_refusal thar_answer_selftest(thar_band *band, thar_reader *body);
thar_refusal thar_answer_stats(thar_band *band, thar_reader *body);
thar_refusal thar_answer_settings(thar_band *band, thar_reader *body);
thar_refusal thar_answer_reset(thar_band *band, thar_reader *body);

/* ---- shared by them ---- */

thar_refusal thar_refuse(uint8_t code, const char *text);
/* BAD_LENGTH unless the body was read whole and no further. */
thar_refusal thar_expect_end(const thar_reader *body);
/* NO_MODEL, with the reason, unless there is a model to run. */
thar_refusal thar_expect_model(const thar_band *band);
/* The rest of the body as counts of whole samples, at least one: their number, or 0 otherwise. */
size_t thar_samples_left(const thar_band *band, const thar_reader *body);

thar_writer thar_open_response(thar_band *band);
thar_refusal thar_send_response(thar_band *band, const thar_writer *response);

void thar_put_identity(const thar_band *band, thar_writer *out);

/* Runs the engine on its input and adds to *ticks; keeps the statistics. */
thar_refusal thar_infer_counted(thar_band *band, uint32_t *ticks);
void thar_clear_stats(thar_band_stats *stats);

#endif
