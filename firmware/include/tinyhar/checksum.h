/* Checks on bytes: CRC-16 for frames, CRC-32 for bundles and traces, SHA-256 for identities. */
#ifndef TINYHAR_CHECKSUM_H
#define TINYHAR_CHECKSUM_H

#include "tinyhar/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* CRC-16/CCITT-FALSE: polynomial 0x1021, not reflected. Start with THAR_CRC16_START, go on with the
 * last result. */
#define THAR_CRC16_START 0xFFFFu
uint16_t thar_crc16(uint16_t crc, const uint8_t *bytes, size_t size);

/* CRC-32 (IEEE 802.3, as zlib.crc32). Start with 0, go on with the last result. */
uint32_t thar_crc32(uint32_t crc, const uint8_t *bytes, size_t size);

/* SHA-256 (FIPS 180-4). */
thar_id32 thar_sha256(const uint8_t *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif
