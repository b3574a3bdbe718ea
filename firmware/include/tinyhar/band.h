/* The band: bytes from a host go in, answers and predictions come out through the port. */
#ifndef TINYHAR_BAND_H
#define TINYHAR_BAND_H

#include "tinyhar/config.h"
#include "tinyhar/frame.h"
#include "tinyhar/learner.h"
#include "tinyhar/messages.h"
#include "tinyhar/model.h"
#include "tinyhar/outbox.h"
#include "tinyhar/smoothing.h"
#include "tinyhar/store.h"
#include "tinyhar/window.h"

#ifdef __cplusplus
extern "C" {
#endif

#define THAR_FIRMWARE_MAJOR 0
#define THAR_FIRMWARE_MINOR 1
#define THAR_FIRMWARE_PATCH 0

typedef struct {
  uint8_t type;
  uint8_t seq;
  uint16_t crc;
} thar_request;

typedef struct {
  uint32_t windows;
  uint32_t frames_ok;
  uint32_t frames_bad;
  uint32_t ticks_min;
  uint32_t ticks_max;
  uint64_t ticks_sum;
} thar_band_stats;

#define THAR_LIVE_BYTES 96 /* of samples in one event */

/* The band's own sensor, and who watches it. */
typedef struct {
  uint8_t channels;   /* that it delivers; 0: nothing so far */
  bool watched;       /* LIVE */
  uint8_t seq;        /* of the LIVE that asked */
  bool by_host;       /* a host streams in its place */
  uint32_t hosted_ms; /* when it did last */
  uint8_t held;       /* samples in `counts` */
  uint32_t first;     /* sample's number of the first of them */
  uint8_t counts[THAR_LIVE_BYTES];
} thar_sensor;

/* What the band shows now: the class of the smoothed answer. */
typedef struct {
  uint8_t class_index; /* THAR_NONE: no window yet */
  uint8_t confidence;  /* 0..255 */
  thar_text name;      /* not terminated */
} thar_shown_class;

/* One per firmware, in static storage: it holds every buffer. Its fields are the core's. */
typedef struct {
  thar_model model;
  thar_learner learner;
  const int8_t *logits; /* of the last inference */
  thar_store store;
  uint8_t *arena;
  size_t arena_bytes;
  bool any_sensors; /* of the deployment under way */
  thar_decoder decoder;
  thar_outbox outbox;
  thar_request last; /* the request that the outbox answers */
  bool has_last;
  uint8_t event_seq;

  /* INFER: a window that comes in pieces, kept for TRACE. */
  uint32_t load_ticks;
  uint16_t loaded; /* samples so far */
  bool has_window; /* `window` is whole */

  /* STREAM */
  thar_windower windower;
  thar_smoothing smoothing;
  uint32_t stream_ticks; /* spent on count maps since the last window */
  thar_smoothed shown;   /* of the last window */
  bool streamed;         /* the engine ran nothing since the stream's last window */

  thar_sensor sensor;

  thar_band_stats stats;
  uint8_t frame[THAR_HEADER_BYTES + THAR_MAX_BODY + THAR_CRC_BYTES];
  int8_t window[THAR_MAX_WINDOW_VALUES];
  int8_t ring[THAR_MAX_WINDOW_VALUES];
} thar_band;

/* Call all of these from one task, never from an interrupt: they run the network, write to the line
 * and, when a host deploys or teaches, to the flash, which can take seconds. A port that feeds a
 * watchdog does so in its flash functions, too. */

/* Loads the bundle that the model store or the image holds; without a usable one the band still
 * answers, and says what is wrong. */
void thar_band_init(thar_band *band, uint8_t *arena, size_t arena_bytes);

/* Sends the BOOT event. */
void thar_band_announce(thar_band *band);

/* Bytes as they come off the line, in pieces of any size. */
void thar_band_receive(thar_band *band, const uint8_t *bytes, size_t size);

/* A sample of the band's own sensor, one count a channel, at the bundle's rate; whether it completed
 * a window, of which thar_band_shown then tells. Ignored while a host streams, and when the bundle
 * that runs now has another number of channels. */
bool thar_band_sense(thar_band *band, const int16_t *counts, uint8_t channels);
thar_shown_class thar_band_shown(const thar_band *band);

/* A button, for a band without a host: starts to teach a new class called "taught N" with what
 * STREAM or the board brings, and pressed again keeps it. False: it cannot, or nothing was shown. */
bool thar_band_press(thar_band *band);

/* All of the above on static storage, for ever: what a port's main calls. */
void thar_band_run(void);

#ifdef __cplusplus
}
#endif

#endif
