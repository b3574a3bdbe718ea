/* A bundle and the engine that runs it: from a window of int8 to logits. */
#ifndef TINYHAR_MODEL_H
#define TINYHAR_MODEL_H

#include "tinyhar/bundle.h"
#include "tinyhar/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  thar_bundle bundle;
  thar_engine engine;
  uint8_t layers;      /* that a trace reports; 0: this engine has no trace */
  const uint8_t *bytes; /* the bundle's */
  const char *problem;  /* NULL: ready; else in words why not, and `field` may name the culprit */
  const char *field;    /* of the bundle, or NULL */
  uint8_t code;         /* thar_error_code that the problem is as a refusal */
} thar_model;

/* Checks the bundle whole, that this build has room for it, and that the engine takes its model;
 * all that follows needs problem == NULL. bytes must stay; both pointers must be 16-aligned. */
void thar_model_load(thar_model *m, const uint8_t *bytes, size_t size, uint8_t *arena,
                     size_t arena_bytes);

/* The field of a bundle that this build has no room or no engine for, or NULL. */
const char *thar_model_misfit(const thar_bundle_header *h, size_t arena_bytes);
/* The same as a refusal: OTHER_ENGINE or NO_ROOM. */
uint8_t thar_model_misfit_code(const thar_bundle_header *h);

/* Runs a golden window; whether its logits are the bundle's. */
bool thar_model_answers_golden(thar_model *m, uint8_t index);
/* All of them, at least one; the first that fails, or THAR_NONE. */
uint8_t thar_model_try(thar_model *m);

/* The engine that this image links, by its number on the wire and in bundles. */
uint8_t thar_model_engine(void);

/* window x channels, the size of the engine's input. */
size_t thar_model_window_values(const thar_model *m);

#ifdef __cplusplus
}
#endif

#endif
