#include "tinyhar/learner.h"

#include <string.h>

#include "text.h"
#include "tinyhar/messages.h"

/* Windows that teach start every so many parts of a window, as on the desk. */
#define DENSE 10

/* ---- what is known ---- */

static bool is_open(const thar_learner *l) {
  return THAR_CAN_LEARN && l->teaching.size != 0;
}

static uint8_t own_classes(const thar_model *m) {
  return m->bundle.header.classes;
}

static thar_taught_class taught(const thar_learner *l, uint8_t index) {
  return thar_taught_get(&l->kept, l->entry[index]);
}

/* What the bundle knows of one of its own classes. */
static const int8_t *bundled_mean(const thar_learner *l, uint8_t index) {
  return l->teaching.means + (size_t)index * l->teaching.size;
}

static const int8_t *mean_of(const thar_learner *l, uint8_t index) {
  if (l->entry[index] != THAR_NONE) {
    return taught(l, index).mean;
  }
  return bundled_mean(l, index);
}

static void project(const thar_learner *l, const int8_t *x, int32_t *projected) {
  memset(projected, 0, l->teaching.size * sizeof *projected);
  thar_teaching_project(&l->teaching, x, projected);
}

/* Which entry teaches which class, and every mean's norm. */
static void learn_entries(thar_learner *l, const thar_model *m) {
  int32_t projected[THAR_LEARNER_VALUES];
  l->classes = own_classes(m);
  memset(l->entry, THAR_NONE, sizeof l->entry);
  for (uint8_t i = 0; i < l->kept.count; i++) {
    const uint8_t index = thar_taught_get(&l->kept, i).class_index;
    if (index < own_classes(m)) {
      l->entry[index] = i;
    } else if (index == THAR_NONE && l->classes < THAR_LEARNER_CLASSES) {
      l->entry[l->classes++] = i;
    }
  }
  for (uint8_t k = 0; k < l->classes; k++) {
    project(l, mean_of(l, k), projected);
    l->norms[k] = thar_teaching_match(&l->teaching, mean_of(l, k), projected);
  }
}

static bool can_learn(const thar_model *m) {
  size_t bytes = 0;
  if (!THAR_CAN_LEARN || m->problem != NULL) {
    return false;
  }
  (void)thar_engine_embedding(&m->engine, &bytes);
  const uint16_t size = m->bundle.header.embedding;
  return size != 0 && size == bytes && size <= THAR_LEARNER_VALUES;
}

void thar_learner_open(thar_learner *l, const thar_model *m) {
  memset(l, 0, sizeof *l);
  if (can_learn(m)) {
    l->teaching = thar_teaching_of(&m->bundle);
    l->kept = thar_taught_find(&m->bundle.header.identity, l->teaching.size);
    learn_entries(l, m);
  }
}

uint8_t thar_learner_classes(const thar_learner *l, const thar_model *m) {
  return is_open(l) ? l->classes : own_classes(m);
}

thar_text thar_learner_class_name(const thar_learner *l, const thar_model *m, uint8_t index) {
  if (!is_open(l) || index < own_classes(m) || index >= l->classes) {
    return thar_bundle_class_name(&m->bundle, index);
  }
  const thar_taught_class one = taught(l, index);
  const thar_text name = {one.name, one.name_bytes};
  return name;
}

const int8_t *thar_learner_logits(thar_learner *l, const thar_model *m) {
  size_t bytes;
  if (!is_open(l) || l->kept.count == 0) {
    return thar_engine_output(&m->engine);
  }
  int32_t projected[THAR_LEARNER_VALUES];
  int64_t scores[THAR_LEARNER_CLASSES];
  project(l, thar_engine_embedding(&m->engine, &bytes), projected);
  for (uint8_t k = 0; k < l->classes; k++) {
    scores[k] = 2 * thar_teaching_match(&l->teaching, mean_of(l, k), projected) - l->norms[k];
  }
  thar_teaching_logits(&l->teaching, scores, l->classes, l->logits);
  return l->logits;
}

/* ---- showing ---- */

static bool is_known(const thar_learner *l, const thar_model *m, thar_text name) {
  for (uint8_t k = 0; k < l->classes; k++) {
    const thar_text other = thar_learner_class_name(l, m, k);
    if (other.size == name.size && memcmp(other.data, name.data, name.size) == 0) {
      return true;
    }
  }
  return false;
}

static bool has_room(const thar_learner *l, uint8_t index) {
  const bool fresh = index == THAR_NONE || l->entry[index] == THAR_NONE;
  return (index != THAR_NONE || l->classes < THAR_LEARNER_CLASSES) &&
         l->kept.count + fresh <= thar_taught_room(l->teaching.size);
}

thar_learn_status thar_learner_begin(thar_learner *l, const thar_model *m, uint8_t index,
                                     thar_text name) {
  if (!is_open(l)) {
    return THAR_LEARN_UNSUPPORTED;
  }
  if (thar_taught_room(l->teaching.size) == 0) {
    return THAR_LEARN_FLASH;
  }
  if (index == THAR_NONE) {
    if (name.size == 0 || name.size > THAR_TAUGHT_NAME_BYTES ||
        !thar_text_is_name((const uint8_t *)name.data, name.size) || is_known(l, m, name)) {
      return THAR_LEARN_BAD_NAME;
    }
  } else if (index >= l->classes) {
    return THAR_LEARN_BAD_CLASS;
  }
  if (!has_room(l, index)) {
    return THAR_LEARN_NO_ROOM;
  }
  l->showing = true;
  l->class_index = index;
  l->name_bytes = 0;
  if (index == THAR_NONE) {
    l->name_bytes = name.size;
    memcpy(l->name, name.data, name.size);
  }
  const uint16_t window = m->bundle.header.window;
  l->stride = (uint16_t)(window < DENSE ? 1 : window / DENSE);
  l->windows = 0;
  memset(l->sums, 0, sizeof l->sums);
  return THAR_LEARN_OK;
}

void thar_learner_show(thar_learner *l, const thar_model *m) {
  size_t bytes;
  if (!is_open(l) || !l->showing || l->windows == THAR_MOST_SHOWN) {
    return;
  }
  const int8_t *x = thar_engine_embedding(&m->engine, &bytes);
  for (uint16_t i = 0; i < l->teaching.size; i++) {
    l->sums[i] += x[i];
  }
  l->windows++;
}

uint32_t thar_learner_samples(const thar_learner *l, const thar_model *m) {
  if (!is_open(l) || !l->showing || l->windows == 0) {
    return 0;
  }
  return m->bundle.header.window + (l->windows - 1u) * l->stride;
}

thar_learn_status thar_learner_keep(thar_learner *l, const thar_model *m) {
  int8_t mean[THAR_LEARNER_VALUES];
  if (!is_open(l) || !l->showing) {
    return THAR_LEARN_NOT_SHOWING;
  }
  if (l->windows == 0) {
    return THAR_LEARN_NOTHING_SHOWN;
  }
  const uint8_t index = l->class_index, own = own_classes(m);
  const thar_shown shown = {l->windows, thar_learner_samples(l, m), l->sums};
  const int8_t *known = index < own ? bundled_mean(l, index) : NULL;
  thar_teaching_mean(&l->teaching, &shown, m->bundle.header.window, known, mean);
  thar_taught_class one = {
      .class_index = index < own ? index : THAR_NONE,
      .name_bytes = l->name_bytes,
      .windows = l->windows,
      .samples = shown.samples,
      .name = l->name,
      .mean = mean,
  };
  if (index != THAR_NONE && index >= own) { /* a new one, shown again: its name stays */
    one.name_bytes = taught(l, index).name_bytes;
    one.name = taught(l, index).name;
  }
  const uint8_t entry = index != THAR_NONE ? l->entry[index] : THAR_NONE;
  if (!thar_taught_write(&l->kept, entry, &one)) {
    return THAR_LEARN_FLASH;
  }
  l->showing = false;
  learn_entries(l, m);
  return THAR_LEARN_OK;
}

void thar_learner_cancel(thar_learner *l) {
  l->showing = false;
}

thar_learn_status thar_learner_forget(thar_learner *l, const thar_model *m, uint8_t index) {
  if (!is_open(l)) {
    return THAR_LEARN_UNSUPPORTED;
  }
  if (index != THAR_NONE && (index >= l->classes || l->entry[index] == THAR_NONE)) {
    return THAR_LEARN_BAD_CLASS;
  }
  if (l->kept.count != 0) {
    const bool done = index == THAR_NONE ? thar_taught_clear(&l->kept)
                                         : thar_taught_write(&l->kept, l->entry[index], NULL);
    if (!done) {
      return THAR_LEARN_FLASH;
    }
  }
  l->showing = false;
  learn_entries(l, m);
  return THAR_LEARN_OK;
}
