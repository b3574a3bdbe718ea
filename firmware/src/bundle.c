#include "tinyhar/bundle.h"

#include <string.h>

#include "text.h"
#include "tinyhar/checksum.h"
#include "tinyhar/messages.h"

#define LSB_BYTES 8
#define CRC_END (THAR_BUNDLE_CRC_AT + 4)
#define TEACHING_HEAD_BYTES 4
#define HEADER_FIELDS_BYTES THAR_FIELD_BYTES(THAR_BUNDLE_HEADER)

#define THAR_GET_FIELD(type, name) h.name = thar_get_##type(r);

static thar_bundle_header get_header(thar_reader *r) {
  thar_bundle_header h;
  THAR_BUNDLE_HEADER(THAR_GET_FIELD)
  return h;
}

static bool all_zero(const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (bytes[i] != 0) {
      return false;
    }
  }
  return true;
}

/* ---- whole file ---- */

static const char *check_frame(const thar_bundle_header *h, const uint8_t *bytes, size_t size) {
  if (h->magic != THAR_BUNDLE_MAGIC) {
    return "magic";
  }
  if (h->format != THAR_BUNDLE_FORMAT) {
    return "format";
  }
  if (h->header_bytes != THAR_BUNDLE_HEADER_BYTES) {
    return "header_bytes";
  }
  if (h->total_bytes != size) {
    return "total_bytes";
  }
  const uint32_t before = thar_crc32(0, bytes, THAR_BUNDLE_CRC_AT);
  if (thar_crc32(before, bytes + CRC_END, size - CRC_END) != h->crc32) {
    return "crc32";
  }
  const thar_id32 id =
      thar_sha256(bytes + THAR_BUNDLE_CONTENT_AT, size - THAR_BUNDLE_CONTENT_AT);
  return memcmp(id.bytes, h->identity.bytes, THAR_ID_BYTES) != 0 ? "identity" : NULL;
}

/* ---- fields ---- */

/* Positive, finite and not zero, judged by its bits: the band has no use for floats. */
static bool is_positive_float32(uint32_t bits) {
  return bits != 0 && bits < 0x7F800000u;
}

static bool is_positive_float64(const uint8_t *bytes) {
  const uint32_t high = thar_load_u32(bytes + 4);
  return (high | thar_load_u32(bytes)) != 0 && high < 0x7FF00000u;
}

static const char *check_fields(const thar_bundle_header *h, const uint8_t *bytes) {
  const struct {
    bool ok;
    const char *name;
  } rules[] = {
      {h->window >= 1, "window"},
      {h->stride >= 1, "stride"},
      {h->channels >= 1, "channels"},
      {h->classes >= 1, "classes"},
      {h->engine == THAR_ENGINE_KIND_COMPILED || h->engine == THAR_ENGINE_KIND_TFLM, "engine"},
      {h->rate_mhz >= 1, "rate"},
      {is_positive_float32(h->output_scale), "output_scale"},
      {h->smooth_length >= 1, "smooth_length"},
      {h->smooth_hold >= 1, "smooth_hold"},
      {h->embedding <= THAR_BUNDLE_MOST_EMBEDDING, "embedding"},
      {h->reserved == 0 && all_zero(bytes + HEADER_FIELDS_BYTES,
                                    THAR_BUNDLE_HEADER_BYTES - HEADER_FIELDS_BYTES),
       "reserved"},
  };
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
    if (!rules[i].ok) {
      return rules[i].name;
    }
  }
  return NULL;
}

/* ---- sections ---- */

static const char *check_lengths(const thar_bundle_header *h) {
  const uint64_t windows = (uint64_t)h->golden * h->window;
  if (h->count_map_bytes != (uint32_t)h->channels * THAR_COUNT_MAP_ENTRY_BYTES) {
    return "count_map_bytes";
  }
  if (h->model_bytes == 0) {
    return "model_bytes";
  }
  if (h->golden_counts_bytes != windows * h->channels * sizeof(int16_t)) {
    return "golden_counts_bytes";
  }
  if (h->golden_logits_bytes != (uint32_t)h->golden * h->classes) {
    return "golden_logits_bytes";
  }
  const uint32_t triangle = (uint32_t)h->embedding * (h->embedding + 1u) / 2u;
  const uint32_t means = (uint32_t)h->embedding * h->classes;
  if (h->teaching_bytes != (h->embedding != 0 ? TEACHING_HEAD_BYTES + triangle + means : 0)) {
    return "teaching_bytes";
  }
  return NULL;
}

/* The next section in place; notes a section that leaves the file, or padding that is not 0. */
static const uint8_t *take(thar_reader *r, uint32_t size, bool *padded) {
  const uint8_t *section = thar_get_bytes(r, size);
  const size_t padding = (THAR_BUNDLE_ALIGN - r->at % THAR_BUNDLE_ALIGN) % THAR_BUNDLE_ALIGN;
  const uint8_t *rest = thar_get_bytes(r, padding);
  if (rest == NULL || !all_zero(rest, padding)) {
    *padded = false;
  }
  return section;
}

static const char *find_sections(thar_bundle *b, const uint8_t *bytes, size_t size) {
  const thar_bundle_header *h = &b->header;
  bool padded = true;
  thar_reader r = thar_reader_of(bytes, size);
  r.at = THAR_BUNDLE_HEADER_BYTES;
  b->class_names = take(&r, h->class_names_bytes, &padded);
  b->channel_table = take(&r, h->channels_bytes, &padded);
  b->count_map.entries = take(&r, h->count_map_bytes, &padded);
  b->count_map.channels = h->channels;
  b->model = take(&r, h->model_bytes, &padded);
  b->golden_counts = take(&r, h->golden_counts_bytes, &padded);
  b->golden_logits = (const int8_t *)take(&r, h->golden_logits_bytes, &padded);
  b->teaching = take(&r, h->teaching_bytes, &padded);
  if (!r.ok || r.at != size) {
    return "total_bytes";
  }
  return padded ? NULL : "padding";
}

/* ---- names ---- */

static thar_text get_text(thar_reader *r) {
  thar_text text = {NULL, 0};
  const uint8_t size = thar_get_u8(r);
  const uint8_t *bytes = thar_get_bytes(r, size);
  if (bytes != NULL) {
    text.data = (const char *)bytes;
    text.size = size;
  }
  return text;
}

static bool same_text(thar_text a, thar_text b) {
  return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

static bool is_name(thar_text text) {
  return text.data != NULL && thar_text_is_name((const uint8_t *)text.data, text.size);
}

/* The next name of a section, whatever stands around it. */
typedef thar_text (*next_name)(thar_reader *r);

static thar_text next_channel(thar_reader *r) {
  (void)thar_get_bytes(r, LSB_BYTES);
  const thar_text name = get_text(r);
  (void)get_text(r); /* the unit */
  return name;
}

/* Quadratic, but without memory. */
static bool has_twins(const uint8_t *section, size_t size, uint8_t count, next_name next) {
  thar_reader names = thar_reader_of(section, size);
  for (uint8_t i = 0; i < count; i++) {
    const thar_text name = next(&names);
    thar_reader before = thar_reader_of(section, size);
    for (uint8_t j = 0; j < i; j++) {
      if (same_text(name, next(&before))) {
        return true;
      }
    }
  }
  return false;
}

static const char *check_class_names(const thar_bundle *b) {
  thar_reader r = thar_reader_of(b->class_names, b->header.class_names_bytes);
  for (uint8_t k = 0; k < b->header.classes; k++) {
    if (!is_name(get_text(&r))) {
      return "classes";
    }
  }
  const bool whole = r.at == r.size;
  return whole && !has_twins(b->class_names, r.size, b->header.classes, get_text) ? NULL
                                                                                  : "classes";
}

static const char *check_channels(const thar_bundle *b) {
  thar_reader r = thar_reader_of(b->channel_table, b->header.channels_bytes);
  for (uint8_t c = 0; c < b->header.channels; c++) {
    const uint8_t *lsb = thar_get_bytes(&r, LSB_BYTES);
    if (lsb == NULL || !is_positive_float64(lsb)) {
      return "lsb";
    }
    if (!is_name(get_text(&r))) {
      return "channels";
    }
    if (!is_name(get_text(&r))) {
      return "units";
    }
  }
  const bool whole = r.at == r.size;
  return whole && !has_twins(b->channel_table, r.size, b->header.channels, next_channel)
             ? NULL
             : "channels";
}

static const char *check_count_map(const thar_bundle *b) {
  for (size_t c = 0; c < b->header.channels; c++) {
    const uint8_t *entry = b->count_map.entries + c * THAR_COUNT_MAP_ENTRY_BYTES;
    const int32_t offset = thar_load_i32(entry);
    if (thar_load_i16(entry + 4) == INT16_MIN || entry[6] > THAR_COUNT_MAP_MAX_SHIFT ||
        offset <= -THAR_COUNT_MAP_OFFSET_LIMIT || offset >= THAR_COUNT_MAP_OFFSET_LIMIT ||
        entry[7] != 0) {
      return "count_map";
    }
  }
  return NULL;
}

static const char *check_teaching(const thar_bundle *b) {
  if (b->header.embedding == 0) {
    return NULL;
  }
  const uint8_t shift = b->teaching[1];
  return shift >= 1 && shift <= THAR_BUNDLE_LARGEST_SHIFT ? NULL : "teaching";
}

const char *thar_bundle_open(thar_bundle *b, const uint8_t *bytes, size_t size) {
  if (size < THAR_BUNDLE_HEADER_BYTES) {
    return "length";
  }
  thar_reader r = thar_reader_of(bytes, size);
  b->header = get_header(&r);
  const char *wrong = check_frame(&b->header, bytes, size);
  wrong = wrong != NULL ? wrong : check_fields(&b->header, bytes);
  wrong = wrong != NULL ? wrong : check_lengths(&b->header);
  wrong = wrong != NULL ? wrong : find_sections(b, bytes, size);
  wrong = wrong != NULL ? wrong : check_class_names(b);
  wrong = wrong != NULL ? wrong : check_channels(b);
  wrong = wrong != NULL ? wrong : check_count_map(b);
  return wrong != NULL ? wrong : check_teaching(b);
}

/* ---- access ---- */

thar_text thar_bundle_class_name(const thar_bundle *b, uint8_t index) {
  thar_text text = {NULL, 0};
  thar_reader r = thar_reader_of(b->class_names, b->header.class_names_bytes);
  for (uint16_t k = 0; index < b->header.classes && k <= index; k++) {
    text = get_text(&r);
  }
  return text;
}

thar_text thar_bundle_channel_name(const thar_bundle *b, uint8_t index) {
  thar_text text = {NULL, 0};
  thar_reader r = thar_reader_of(b->channel_table, b->header.channels_bytes);
  for (uint16_t c = 0; index < b->header.channels && c <= index; c++) {
    text = next_channel(&r);
  }
  return text;
}

const uint8_t *thar_bundle_golden_counts(const thar_bundle *b, uint8_t index) {
  const size_t one = (size_t)b->header.window * b->header.channels * sizeof(int16_t);
  return b->golden_counts + index * one;
}

const int8_t *thar_bundle_golden_logits(const thar_bundle *b, uint8_t index) {
  return b->golden_logits + (size_t)index * b->header.classes;
}
