#include <string.h>

#include "fuzz_repair.h"
#include "tinyhar/bundle.h"
#include "tinyhar/checksum.h"

void fuzz_repair_bundle(uint8_t *bytes, size_t size) {
  if (size < THAR_BUNDLE_HEADER_BYTES) {
    return;
  }
  uint8_t total[4], crc[4];
  thar_writer w = thar_writer_of(total, sizeof total);
  thar_put_u32(&w, (uint32_t)size);
  memcpy(bytes + 8, total, sizeof total);
  const thar_id32 id = thar_sha256(bytes + THAR_BUNDLE_CONTENT_AT, size - THAR_BUNDLE_CONTENT_AT);
  memcpy(bytes + THAR_BUNDLE_CRC_AT + 4, id.bytes, THAR_ID_BYTES);
  const uint32_t before = thar_crc32(0, bytes, THAR_BUNDLE_CRC_AT);
  w = thar_writer_of(crc, sizeof crc);
  const size_t behind = THAR_BUNDLE_CRC_AT + 4;
  thar_put_u32(&w, thar_crc32(before, bytes + behind, size - behind));
  memcpy(bytes + THAR_BUNDLE_CRC_AT, crc, sizeof crc);
}
