/* Windows that the band cuts itself: STREAM, with PREDICTION events. */
#include "answers.h"
#include "tinyhar/port.h"

thar_refusal thar_predict(thar_band *band, thar_writer *out) {
  thar_engine *engine = &band->model.engine;
  const uint8_t classes = thar_learner_classes(&band->learner, &band->model);
  uint32_t ticks = band->stream_ticks;
  band->stream_ticks = 0;
  const uint32_t start = thar_port_ticks();
  thar_windower_copy(&band->windower, thar_engine_input(engine));
  ticks += thar_port_ticks() - start;
  const uint16_t hop = band->streamed ? band->windower.stride : 0;
  const thar_refusal no = thar_infer_counted(band, hop, &ticks);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  band->streamed = true;
  thar_learner_show(&band->learner, &band->model);
  band->shown = thar_smoothing_push(&band->smoothing, band->logits);
  const thar_prediction_event event = {
      .window_index = band->windower.windows - 1,
      .last_sample = band->windower.next_sample - 1,
      .class_index = thar_argmax(band->logits, classes),
      .smoothed = band->shown.shown,
      .confidence = band->shown.confidence,
      .ticks = ticks,
  };
  thar_put_prediction_event(out, &event);
  thar_put_bytes(out, band->logits, classes);
  return THAR_DONE;
}

/* With the number of its request, so that a host knows one that comes too late. */
static thar_refusal predict(thar_band *band) {
  thar_writer out = thar_outbox_open(&band->outbox, THAR_MSG_PREDICTION, band->last.seq);
  const thar_refusal no = thar_predict(band, &out);
  if (no.code == THAR_ERR_NONE && !thar_outbox_send_event(&band->outbox, &out)) {
    return thar_refuse(THAR_ERR_TOO_BIG, "the prediction does not fit the outbox");
  }
  return no;
}

bool thar_take_sample(thar_band *band, const uint8_t *counts) {
  const uint32_t start = thar_port_ticks();
  thar_count_map_apply(&band->model.bundle.count_map, counts, 1,
                       thar_windower_slot(&band->windower));
  band->stream_ticks += thar_port_ticks() - start;
  return thar_windower_advance(&band->windower);
}

void thar_rewind_stream(thar_band *band) {
  thar_windower_restart(&band->windower);
  thar_smoothing_restart(&band->smoothing);
  band->stream_ticks = 0;
  band->streamed = false;
  band->sensor.held = 0;
}

thar_refusal thar_answer_stream(thar_band *band, thar_reader *body) {
  thar_refusal no = thar_expect_model(band);
  if (no.code != THAR_ERR_NONE) {
    return no;
  }
  const thar_stream_request q = thar_get_stream_request(body);
  const size_t samples = thar_samples_left(band, body);
  if (samples == 0) {
    return thar_refuse(THAR_ERR_BAD_LENGTH, "stream: not whole samples");
  }
  if (q.first_sample == 0) {
    thar_rewind_stream(band);
  } else if (q.first_sample != band->windower.next_sample ||
             (band->sensor.channels != 0 && !band->sensor.by_host)) { /* that one is the sensor's */
    return thar_refuse(THAR_ERR_OUT_OF_ORDER, "stream: not the next sample; 0 starts again");
  }
  band->sensor.by_host = true;
  band->sensor.hosted_ms = thar_port_milliseconds();
  const size_t sample_bytes = band->model.bundle.header.channels * sizeof(int16_t);
  for (size_t i = 0; i < samples; i++) {
    if (thar_take_sample(band, thar_get_bytes(body, sample_bytes))) {
      no = predict(band);
      if (no.code != THAR_ERR_NONE) {
        return no;
      }
    }
  }
  const thar_stream_response r = {band->windower.next_sample};
  thar_writer out = thar_open_response(band);
  thar_put_stream_response(&out, &r);
  return thar_send_response(band, &out);
}
