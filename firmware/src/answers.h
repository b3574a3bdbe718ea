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
thar_refusal thar_answer_live(thar_band *band, thar_reader *body);
thar_refusal thar_answer_slot(thar_band *band, thar_reader *body);
thar_refusal thar_answer_blocks(thar_band *band, thar_reader *body);
thar_refusal thar_answer_begin(thar_band *band, thar_reader *body);
thar_refusal thar_answer_chunk(thar_band *band, thar_reader *body);
thar_refusal thar_answer_copy(thar_band *band, thar_reader *body);
thar_refusal thar_answer_commit(thar_band *band, thar_reader *body);
thar_refusal thar_answer_abort(thar_band *band, thar_reader *body);
thar_refusal thar_answer_rollback(thar_band *band, thar_reader *body);
thar_refusal thar_answer_teach(thar_band *band, thar_reader *body);
thar_refusal thar_answer_taught(thar_band *band, thar_reader *body);

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

/* Runs the engine on its input into band->logits, and adds to *ticks; keeps the statistics. hop: the
 * input begins so many samples after the window that the engine ran last; 0: it does not. */
thar_refusal thar_infer_counted(thar_band *band, uint16_t hop, uint32_t *ticks);
void thar_clear_stats(thar_band_stats *stats);
/* Those of another model: frames stay. */
void thar_clear_times(thar_band_stats *stats);

/* ---- answer_stream.c ---- */

/* The stream starts again from sample 0. */
void thar_rewind_stream(thar_band *band);
/* Takes one sample as counts in wire order; whether a window is complete. */
bool thar_take_sample(thar_band *band, const uint8_t *counts);
/* Infers the complete window and writes the PREDICTION's body. */
thar_refusal thar_predict(thar_band *band, thar_writer *out);

/* ---- activate.c ---- */

/* Boot: the bundle that the store or the image holds, the next one where one does not work out. */
void thar_load_at_boot(thar_band *band);
/* What should run, again: after another one was loaded to try it. */
void thar_load_current(thar_band *band);
/* Checks and tries the bundle at `bytes` in place of the running one, which is gone then. The
 * channels must be those of `sensors`, unless that is NULL. */
thar_refusal thar_try_bundle(thar_band *band, const uint8_t *bytes, size_t size,
                             const thar_bundle *sensors);
/* For the model that was loaded: what was taught to it, and a stream with its own settings. */
void thar_take_up_model(thar_band *band);
/* The stream starts anew, with the classes that there are now. */
void thar_restart_stream(thar_band *band, uint16_t stride, uint8_t smooth_length,
                         uint8_t smooth_hold);
thar_refusal thar_tell_activated(thar_band *band);
thar_refusal thar_refuse_status(thar_store_status status);

#endif
