#include "tinyhar/checksum.h"

/* Tables of 16 entries, a nibble at a time: 96 bytes of flash instead of 1.5 kB, half the speed of
 * the byte tables, four times that of the bit loop. */

static const uint16_t crc16_nibble[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50A5,
                                          0x60C6, 0x70E7, 0x8108, 0x9129, 0xA14A, 0xB16B,
                                          0xC18C, 0xD1AD, 0xE1CE, 0xF1EF};

static const uint32_t crc32_nibble[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};

uint16_t thar_crc16(uint16_t crc, const uint8_t *bytes, size_t size) {
  uint32_t c = crc;
  for (size_t i = 0; i < size; i++) {
    c ^= (uint32_t)bytes[i] << 8;
    c = ((c << 4) & 0xFFFFu) ^ crc16_nibble[c >> 12];
    c = ((c << 4) & 0xFFFFu) ^ crc16_nibble[c >> 12];
  }
  return (uint16_t)c;
}

uint32_t thar_crc32(uint32_t crc, const uint8_t *bytes, size_t size) {
  uint32_t c = ~crc;
  for (size_t i = 0; i < size; i++) {
    c ^= bytes[i];
    c = (c >> 4) ^ crc32_nibble[c & 15u];
    c = (c >> 4) ^ crc32_nibble[c & 15u];
  }
  return ~c;
}
