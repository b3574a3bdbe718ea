/* Teaching in integers: class means in the model's embedding, and logits from them.
 *
 * The embedding is what the model's last layer reads: int8[size]. A bundle that can be taught brings
 * how embeddings of one class vary (the inverse of their common covariance, scaled to int8) and each
 * class's mean; what a wearer shows gives further means. The class whose mean is nearest, measured
 * in that variation, wins: a linear discriminant, in closed form. No float, no training.
 * tinyhar/convert/teaching.py computes the same bytes. */
#ifndef TINYHAR_TEACHING_H
#define TINYHAR_TEACHING_H

#include "tinyhar/bundle.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The bundle's section, checked. */
typedef struct {
  uint16_t size; /* of an embedding; 0: this bundle cannot be taught */
  int8_t zero;   /* zero point of the embedding */
  uint8_t shift; /* of a distance to a step of a logit: * multiplier >> shift */
  uint16_t multiplier;
  const int8_t *precision; /* lower triangle, row by row */
  const int8_t *means;     /* int8[classes][size] */
} thar_teaching;

thar_teaching thar_teaching_of(const thar_bundle *b);

/* precision . (x - zero): int32[size]. */
void thar_teaching_project(const thar_teaching *t, const int8_t *x, int32_t *projected);
/* (mean - zero) . projected. */
int64_t thar_teaching_match(const thar_teaching *t, const int8_t *mean, const int32_t *projected);
/* The nearest class gets 127, others less by their distance. scores int64[classes]: twice the match
 * less that of the mean with itself. */
void thar_teaching_logits(const thar_teaching *t, const int64_t *scores, uint8_t classes,
                          int8_t *logits);

/* What was shown of a class: sums int32[size] over `windows` embeddings, at least one. */
typedef struct {
  uint16_t windows;
  uint32_t samples; /* from the first window's begin to the last one's end */
  const int32_t *sums;
} thar_shown;

/* Their mean; with what the bundle knows of the class (or NULL), weighed as one window. */
void thar_teaching_mean(const thar_teaching *t, const thar_shown *shown, uint16_t window,
                        const int8_t *known, int8_t *mean);

#ifdef __cplusplus
}
#endif

#endif
