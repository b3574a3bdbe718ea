/* The band learns from its wearer: a class is shown, its embeddings are averaged, and from then on
 * the nearest class wins (teaching.h). What was taught survives restarts (taught.h) and belongs to
 * the bundle that it was taught to. */
#ifndef TINYHAR_LEARNER_H
#define TINYHAR_LEARNER_H

#include "tinyhar/config.h"
#include "tinyhar/model.h"
#include "tinyhar/taught.h"
#include "tinyhar/teaching.h"

#ifdef __cplusplus
extern "C" {
#endif

#define THAR_CAN_LEARN (THAR_MAX_EMBEDDING > 0)
#define THAR_LEARNER_CLASSES (THAR_CAN_LEARN ? THAR_MAX_CLASSES : 1)
#define THAR_LEARNER_VALUES (THAR_CAN_LEARN ? THAR_MAX_EMBEDDING : 1)
#define THAR_MOST_SHOWN 60000 /* windows of a class that are averaged */

/* Its fields are the core's. */
typedef struct {
  thar_teaching teaching;
  thar_taught kept;
  uint8_t classes;                         /* the bundle's and those that were taught */
  uint8_t entry[THAR_LEARNER_CLASSES];     /* what was taught of a class, or THAR_NONE */
  int64_t norms[THAR_LEARNER_CLASSES];     /* each mean's match with itself */
  int8_t logits[THAR_LEARNER_CLASSES];

  bool showing; /* what follows holds */
  uint8_t class_index;
  uint8_t name_bytes; /* 0: one of the bundle's classes */
  char name[THAR_TAUGHT_NAME_BYTES];
  uint16_t stride; /* of the windows that are averaged */
  uint16_t windows;
  int32_t sums[THAR_LEARNER_VALUES];
} thar_learner;

typedef enum {
  THAR_LEARN_OK = 0,
  THAR_LEARN_UNSUPPORTED, /* this build, bundle or engine cannot be taught */
  THAR_LEARN_BAD_CLASS,   /* no such class, or one that was not taught */
  THAR_LEARN_BAD_NAME,    /* empty, too long, not to be shown, or there already */
  THAR_LEARN_NO_ROOM,     /* for another class, in RAM or flash */
  THAR_LEARN_NOT_SHOWING,
  THAR_LEARN_NOTHING_SHOWN, /* no whole window yet */
  THAR_LEARN_FLASH
} thar_learn_status;

/* After a model was loaded, or failed to: finds what was taught to it. */
void thar_learner_open(thar_learner *l, const thar_model *m);

/* ---- what is known ---- */

uint8_t thar_learner_classes(const thar_learner *l, const thar_model *m);
thar_text thar_learner_class_name(const thar_learner *l, const thar_model *m, uint8_t index);
/* After an invoke: the engine's own, where nothing was taught. */
const int8_t *thar_learner_logits(thar_learner *l, const thar_model *m);

/* ---- showing ---- */

/* A class of index below classes is shown again; THAR_NONE: a new one called `name`. */
thar_learn_status thar_learner_begin(thar_learner *l, const thar_model *m, uint8_t index,
                                     thar_text name);
/* Averages the window that was just invoked. */
void thar_learner_show(thar_learner *l, const thar_model *m);
uint32_t thar_learner_samples(const thar_learner *l, const thar_model *m);
/* From now on, and after restarts. */
thar_learn_status thar_learner_keep(thar_learner *l, const thar_model *m);
void thar_learner_cancel(thar_learner *l);

/* A class is as the bundle has it again, or gone; THAR_NONE: all of them. Indices of new classes
 * behind it go down by one. */
thar_learn_status thar_learner_forget(thar_learner *l, const thar_model *m, uint8_t index);

#ifdef __cplusplus
}
#endif

#endif
