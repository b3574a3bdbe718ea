/* The core's pure functions behind stdin and stdout, for tests that compare them with the desk's.
 *
 * Request: op u8, size u32, payload. Response: size u32, payload. Every payload is a heap block of
 * exactly its size, so that a sanitizer sees the first byte out of bounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tinyhar/bundle.h"
#include "tinyhar/checksum.h"
#include "tinyhar/frame.h"
#include "tinyhar/smoothing.h"
#include "tinyhar/teaching.h"

typedef struct {
  uint8_t *bytes;
  size_t size;
} block;

static block answer;

static void say(void *ctx, const uint8_t *bytes, size_t size) {
  (void)ctx;
  answer.bytes = realloc(answer.bytes, answer.size + size + 1);
  if (answer.bytes == NULL) {
    exit(2);
  }
  if (size > 0) {
    memcpy(answer.bytes + answer.size, bytes, size);
  }
  answer.size += size;
}

static void say_byte(int value) {
  const uint8_t byte = (uint8_t)value;
  say(NULL, &byte, 1);
}

static void say_u32(uint32_t value) {
  uint8_t bytes[4];
  thar_writer w = thar_writer_of(bytes, sizeof bytes);
  thar_put_u32(&w, value);
  say(NULL, bytes, sizeof bytes);
}

/* capacity u16, bytes off the line -> for each frame event: event u8, then a ready frame's length
 * u32 and bytes */
static void decode(const uint8_t *in, size_t size) {
  const size_t capacity = thar_load_u16(in);
  uint8_t *buffer = malloc(capacity);
  thar_decoder d;
  thar_decoder_init(&d, buffer, capacity);
  for (size_t i = 2; i < size; i++) {
    const thar_frame_event event = thar_decoder_push(&d, in[i]);
    if (event == THAR_FRAME_NONE) {
      continue;
    }
    say_byte((int)event);
    if (event == THAR_FRAME_READY) {
      say_u32((uint32_t)d.length);
      say(NULL, buffer, d.length);
    }
  }
  free(buffer);
}

/* channels u8, count map entries, counts -> int8 */
static void map_counts(const uint8_t *in, size_t size) {
  const thar_count_map map = {in + 1, in[0]};
  const size_t entries = (size_t)in[0] * THAR_COUNT_MAP_ENTRY_BYTES;
  const size_t samples = (size - 1 - entries) / (2u * in[0]);
  int8_t *out = malloc(samples * in[0] + 1);
  thar_count_map_apply(&map, in + 1 + entries, samples, out);
  say(NULL, (const uint8_t *)out, samples * in[0]);
  free(out);
}

/* classes u8, length u8, hold u8, logits -> for each window shown u8, confidence u8 */
static void smooth(const uint8_t *in, size_t size) {
  static thar_smoothing s;
  thar_smoothing_init(&s, in[0], in[1], in[2]);
  for (size_t at = 3; at < size; at += in[0]) {
    const thar_smoothed now = thar_smoothing_push(&s, (const int8_t *)in + at);
    say_byte(now.shown);
    say_byte(now.confidence);
  }
}

static void say_text(thar_text text) {
  say_byte(text.size);
  say(NULL, (const uint8_t *)text.data, text.size);
}

/* a file -> the field at fault; or 0, then names and the places of the sections */
static void open_bundle(const uint8_t *in, size_t size) {
  thar_bundle b;
  const char *wrong = thar_bundle_open(&b, in, size);
  if (wrong != NULL) {
    say(NULL, (const uint8_t *)wrong, strlen(wrong));
    return;
  }
  say_byte(0);
  for (uint8_t k = 0; k < b.header.classes; k++) {
    say_text(thar_bundle_class_name(&b, k));
  }
  for (uint8_t c = 0; c < b.header.channels; c++) {
    say_text(thar_bundle_channel_name(&b, c));
  }
  say_u32((uint32_t)(b.model - in));
  say_u32((uint32_t)(b.golden_counts - in));
  say_u32((uint32_t)((const uint8_t *)b.golden_logits - in));
}

/* a bundle's section with its head laid out, for `size` values: shift u8 and so on stand in it */
static thar_teaching teaching_of(const uint8_t *section, uint16_t size) {
  const thar_teaching t = {
      .size = size,
      .zero = (int8_t)section[0],
      .shift = section[1],
      .multiplier = thar_load_u16(section + 2),
      .precision = (const int8_t *)section + 4,
      .means = (const int8_t *)section + 4 + (size_t)size * (size + 1u) / 2u,
  };
  return t;
}

/* size u16, classes u8, section, embeddings -> logits for the section's own means */
static void taught_logits(const uint8_t *in, size_t size) {
  const uint16_t values = thar_load_u16(in);
  const uint8_t classes = in[2];
  const thar_teaching t = teaching_of(in + 3, values);
  const uint8_t *x = (const uint8_t *)t.means + (size_t)classes * values;
  int32_t *projected = malloc((values + 1u) * sizeof *projected);
  int64_t scores[255];
  int8_t logits[255];
  for (; x < in + size; x += values) {
    for (uint8_t k = 0; k < classes; k++) {
      const int8_t *mean = t.means + (size_t)k * values;
      memset(projected, 0, values * sizeof *projected);
      thar_teaching_project(&t, mean, projected);
      scores[k] = -thar_teaching_match(&t, mean, projected);
    }
    memset(projected, 0, values * sizeof *projected);
    thar_teaching_project(&t, (const int8_t *)x, projected);
    for (uint8_t k = 0; k < classes; k++) {
      scores[k] += 2 * thar_teaching_match(&t, t.means + (size_t)k * values, projected);
    }
    thar_teaching_logits(&t, scores, classes, logits);
    say(NULL, (const uint8_t *)logits, classes);
  }
  free(projected);
}

/* size u16, window u16, samples u32, known u8, int8 known[size], embeddings -> mean */
static void taught_mean(const uint8_t *in, size_t size) {
  const thar_teaching t = {.size = thar_load_u16(in)};
  const uint8_t *x = in + 9 + t.size;
  const uint16_t windows = (uint16_t)((size_t)(in + size - x) / t.size);
  int32_t *sums = calloc(t.size, sizeof *sums);
  int8_t *mean = malloc(t.size);
  for (size_t i = 0; i < (size_t)windows * t.size; i++) {
    sums[i % t.size] += (int8_t)x[i];
  }
  const thar_shown shown = {windows, thar_load_u32(in + 4), sums};
  thar_teaching_mean(&t, &shown, thar_load_u16(in + 2), in[8] ? (const int8_t *)in + 9 : NULL,
                     mean);
  say(NULL, (const uint8_t *)mean, t.size);
  free(sums);
  free(mean);
}

static void serve(int op, const uint8_t *in, size_t size) {
  const thar_id32 id = op == 's' ? thar_sha256(in, size) : (thar_id32){{0}};
  switch (op) {
    case 'd':
      decode(in, size);
      break;
    case 'e':
      thar_frame_send(in, size, say, NULL);
      break;
    case 'c':
      map_counts(in, size);
      break;
    case 'm':
      smooth(in, size);
      break;
    case 'b':
      open_bundle(in, size);
      break;
    case 't':
      taught_logits(in, size);
      break;
    case 'a':
      taught_mean(in, size);
      break;
    case 's':
      say(NULL, id.bytes, sizeof id.bytes);
      break;
    default:
      exit(2);
  }
}

int main(void) {
  uint8_t head[5];
  while (fread(head, 1, sizeof head, stdin) == sizeof head) {
    const size_t size = thar_load_u32(head + 1);
    uint8_t *in = malloc(size);
    if (fread(in, 1, size, stdin) != size) {
      return 2;
    }
    answer.size = 0;
    serve(head[0], in, size);
    free(in);
    const uint32_t length = (uint32_t)answer.size;
    say_u32(length); /* behind the answer, but sent before it */
    fwrite(answer.bytes + length, 1, 4, stdout);
    fwrite(answer.bytes, 1, length, stdout);
    fflush(stdout);
  }
  free(answer.bytes);
  return 0;
}
