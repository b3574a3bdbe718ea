/* Teaching from outside, TEACH and TAUGHT, and by a button. */
#include <string.h>

#include "answers.h"

static thar_refusal refuse_learning(thar_learn_status status) {
  switch (THAR_CAN_LEARN ? status : THAR_LEARN_UNSUPPORTED) {
    case THAR_LEARN_UNSUPPORTED:
      return thar_refuse(THAR_ERR_UNSUPPORTED, "this model, or this firmware, cannot be taught");
    case THAR_LEARN_BAD_CLASS:
      return thar_refuse(THAR_ERR_BAD_VALUE, "teach: no such class, or it was not taught");
    case THAR_LEARN_BAD_NAME:
      return thar_refuse(THAR_ERR_BAD_VALUE, "teach: a name of 1 to 32 bytes that is not there yet");
    case THAR_LEARN_NO_ROOM:
      return thar_refuse(THAR_ERR_NO_ROOM, "teach: no room for one more class; forget one");
    case THAR_LEARN_NOT_SHOWING:
      return thar_refuse(THAR_ERR_NOTHING_THERE, "teach: no class is being taught; BEGIN first");
    case THAR_LEARN_NOTHING_SHOWN:
      return thar_refuse(THAR_ERR_NOTHING_THERE, "teach: no whole window was shown yet");
    case THAR_LEARN_FLASH:
      return thar_refuse(THAR_ERR_FLASH, "there is no flash for classes, or writing it failed");
    case THAR_LEARN_OK:
    default:
      return THAR_DONE;
  }
}

static void restart(thar_band *band) {
  const thar_bundle_header *h = &band->model.bundle.header;
  const thar_learner *l = &band->learner;
  thar_restart_stream(band, l->showing ? l->stride : h->stride, h->smooth_length, h->smooth_hold);
}

static thar_learn_status act(thar_band *band, const thar_teach_request *q, thar_text name) {
  thar_learner *l = &band->learner;
  const thar_model *m = &band->model;
  switch (q->action) {
    case THAR_TEACH_BEGIN:
      return thar_learner_begin(l, m, q->class_index, name);
    case THAR_TEACH_KEEP:
      return thar_learner_keep(l, m);
    case THAR_TEACH_FORGET:
      return thar_learner_forget(l, m, q->class_index);
    default:
      thar_learner_cancel(l);
      return THAR_LEARN_OK;
  }
}

thar_refusal thar_answer_teach(thar_band *band, thar_reader *body) {
  if (!THAR_CAN_LEARN) {
    return refuse_learning(THAR_LEARN_UNSUPPORTED);
  }
  const thar_teach_request q = thar_get_teach_request(body);
  thar_text name = {NULL, 0};
  if (q.action == THAR_TEACH_BEGIN && q.class_index == THAR_NONE) {
    const size_t left = thar_reader_left(body);
    name.size = (uint8_t)(left <= THAR_TAUGHT_NAME_BYTES ? left : 0);
    name.data = (const char *)thar_get_bytes(body, left);
  }
  thar_refusal no = thar_expect_end(body);
  no = no.code != THAR_ERR_NONE ? no : thar_expect_model(band);
  if (no.code == THAR_ERR_NONE && q.action > THAR_TEACH_FORGET) {
    no = thar_refuse(THAR_ERR_BAD_VALUE, "teach: no such action");
  }
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  const thar_learner *l = &band->learner;
  thar_teach_response r = {.windows = l->showing ? l->windows : 0,
                           .samples = thar_learner_samples(l, &band->model)};
  no = refuse_learning(act(band, &q, name));
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  restart(band);
  r.classes = thar_learner_classes(l, &band->model);
  r.taught = l->kept.count;
  thar_writer out = thar_open_response(band);
  thar_put_teach_response(&out, &r);
  return thar_send_response(band, &out);
}

thar_refusal thar_answer_taught(thar_band *band, thar_reader *body) {
  if (!THAR_CAN_LEARN) {
    return refuse_learning(THAR_LEARN_UNSUPPORTED);
  }
  const thar_taught_request q = thar_get_taught_request(body);
  thar_refusal no = thar_expect_end(body);
  no = no.code != THAR_ERR_NONE ? no : thar_expect_model(band);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  const thar_learner *l = &band->learner;
  thar_taught_response r = {.class_index = THAR_NONE};
  const int8_t *mean = NULL;
  for (uint8_t k = 0; k < thar_learner_classes(l, &band->model); k++) {
    if (q.entry < l->kept.count && l->entry[k] == q.entry) {
      const thar_taught_class one = thar_taught_get(&l->kept, q.entry);
      r = (thar_taught_response){k, one.windows, one.samples};
      mean = one.mean;
    }
  }
  thar_writer out = thar_open_response(band);
  thar_put_taught_response(&out, &r);
  if (mean != NULL) {
    thar_put_bytes(&out, mean, l->teaching.size);
  }
  return thar_send_response(band, &out);
}

/* ---- without a host ---- */

bool thar_band_press(thar_band *band) {
  char name[] = "taught 001";
  thar_learner *l = &band->learner;
  if (!THAR_CAN_LEARN || band->model.problem != NULL) {
    return false;
  }
  thar_learn_status status = THAR_LEARN_BAD_NAME;
  if (l->showing) {
    status = thar_learner_keep(l, &band->model);
  }
  for (uint32_t n = 1; !l->showing && status == THAR_LEARN_BAD_NAME && n < THAR_NONE; n++) {
    char *digits = name + sizeof name - 4;
    digits[0] = (char)('0' + n / 100);
    digits[1] = (char)('0' + n / 10 % 10);
    digits[2] = (char)('0' + n % 10);
    const thar_text text = {name, sizeof name - 1};
    status = thar_learner_begin(l, &band->model, THAR_NONE, text);
  }
  if (status == THAR_LEARN_OK) {
    restart(band);
  }
  return status == THAR_LEARN_OK;
}
