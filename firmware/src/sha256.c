#include <string.h>

#include "tinyhar/checksum.h"

#define BLOCK 64

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, unsigned n) {
  return (x >> n) | (x << (32u - n));
}

static uint32_t load_big_endian(const uint8_t *b) {
  return ((uint32_t)b[0] << 24) | ((uint32_t)b[1] << 16) | ((uint32_t)b[2] << 8) | b[3];
}

static void store_big_endian(uint8_t *b, uint32_t x) {
  b[0] = (uint8_t)(x >> 24);
  b[1] = (uint8_t)((x >> 16) & 0xFF);
  b[2] = (uint8_t)((x >> 8) & 0xFF);
  b[3] = (uint8_t)(x & 0xFF);
}

/* The message schedule lives in a ring of 16 words: 256 bytes less stack than the textbook's 64. */
static uint32_t next_word(uint32_t w[16], unsigned t) {
  const uint32_t w15 = w[(t + 1) & 15], w2 = w[(t + 14) & 15];
  const uint32_t s0 = rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >> 3);
  const uint32_t s1 = rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >> 10);
  w[t & 15] += s0 + w[(t + 9) & 15] + s1;
  return w[t & 15];
}

static void compress(uint32_t state[8], const uint8_t block[BLOCK]) {
  uint32_t w[16];
  uint32_t s[8];
  memcpy(s, state, sizeof s);
  for (unsigned t = 0; t < 16; t++) {
    w[t] = load_big_endian(block + 4 * t);
  }
  for (unsigned t = 0; t < 64; t++) {
    const uint32_t word = t < 16 ? w[t] : next_word(w, t);
    const uint32_t sum1 = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
    const uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
    const uint32_t t1 = s[7] + sum1 + choice + round_constants[t] + word;
    const uint32_t sum0 = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
    const uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
    const uint32_t last[7] = {s[0], s[1], s[2], s[3] + t1, s[4], s[5], s[6]};
    s[0] = t1 + sum0 + majority;
    memcpy(s + 1, last, sizeof last); /* whole words, unlike a library's memmove */
  }
  for (unsigned i = 0; i < 8; i++) {
    state[i] += s[i];
  }
}

/* The last one or two blocks: what is left, a 1 bit, zeros, the length in bits. */
static void finish(uint32_t state[8], const uint8_t *rest, size_t left, uint64_t size) {
  uint8_t block[BLOCK] = {0};
  if (left > 0) {
    memcpy(block, rest, left);
  }
  block[left] = 0x80;
  if (left >= BLOCK - 8) {
    compress(state, block);
    memset(block, 0, sizeof block);
  }
  store_big_endian(block + 56, (uint32_t)((size * 8) >> 32));
  store_big_endian(block + 60, (uint32_t)((size * 8) & 0xFFFFFFFFu));
  compress(state, block);
}

thar_id32 thar_sha256(const uint8_t *bytes, size_t size) {
  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  size_t left = size;
  for (; left >= BLOCK; left -= BLOCK) {
    compress(state, bytes);
    bytes += BLOCK;
  }
  finish(state, bytes, left, size);
  thar_id32 id;
  for (unsigned i = 0; i < 8; i++) {
    store_big_endian(id.bytes + 4 * i, state[i]);
  }
  return id;
}
