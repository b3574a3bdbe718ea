/* Bundles: any bytes as a file, and the same with length, CRC-32 and identity made right, so that
 * what lies behind them is reached: every field, names, the compiled engine's plan, golden
 * windows. */
#include <stdlib.h>
#include <string.h>

#include "fuzz_repair.h"
#include "tinyhar/bundle.h"
#include "tinyhar/checksum.h"
#include "tinyhar/model.h"

#define ARENA 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_names(const thar_bundle *b) {
  for (unsigned k = 0; k <= UINT8_MAX; k += k < 8 ? 1 : 61) {
    const thar_text name = thar_bundle_class_name(b, (uint8_t)k);
    const thar_text channel = thar_bundle_channel_name(b, (uint8_t)k);
    if ((name.size != 0) != (k < b->header.classes) ||
        (channel.size != 0) != (k < b->header.channels)) {
      abort();
    }
  }
}

static void load(const uint8_t *bytes, size_t size) {
  static _Alignas(16) uint8_t arena[ARENA];
  thar_model m;
  thar_model_load(&m, bytes, size, arena, sizeof arena);
  if (m.problem != NULL) {
    return;
  }
  look_at_names(&m.bundle);
  const uint32_t work = (uint32_t)m.bundle.header.golden * m.bundle.header.model_bytes;
  if (work < 1u << 20) {
    (void)thar_model_try(&m);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  /* To the byte, so that one too many is seen; malloc aligns to 16. */
  uint8_t *bytes = malloc(size + (size == 0));
  if (bytes == NULL) {
    return 0;
  }
  if (size != 0) {
    memcpy(bytes, data, size);
  }
  load(bytes, size);
  fuzz_repair_bundle(bytes, size);
  load(bytes, size);
  free(bytes);
  return 0;
}
