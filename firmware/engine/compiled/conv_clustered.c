/*
 * Weights that take few values: each is four bits, the number of one of 16 int8 in a table. A byte
 * is a pair of channels' weight of one input, channel 1 in its high half, inputs in the order that
 * conv.c wants. Tables lie behind all pairs; many channels share one.
 */
#include "arithmetic.h"
#include "conv.h"
#include "plan.h"

typedef struct {
  thar_packed_channel channel[2];
  uint16_t table[2]; /* bytes from the layer's data */
  uint32_t index[];  /* four inputs each */
} clustered_pair;

_Static_assert(sizeof(clustered_pair) == THAR_CLUSTERED_HEAD, "the converter writes 20 bytes");

/* 256*w1 + w0 of the byte that begins at bit `at` of four inputs; what is above 16 bits is rest. */
THAR_INLINE uint32_t weight(const int8_t *one, const int8_t *zero, uint32_t four, uint32_t at) {
  return ((uint32_t)one[(four >> (at + 4u)) & 15u] << 8) + (uint32_t)zero[(four >> at) & 15u];
}

void thar_conv_expand(uint32_t *to, const uint8_t *data, uint32_t pair, uint32_t quads) {
  const uint8_t *at = data + pair * (THAR_CLUSTERED_HEAD + 4u * quads);
  const clustered_pair *from = (const clustered_pair *)(const void *)at;
  const int8_t *zero = (const int8_t *)data + from->table[0];
  const int8_t *one = (const int8_t *)data + from->table[1];
  memcpy(to, from->channel, sizeof from->channel);
  to += 4; /* two heads of two words */
  for (uint32_t i = 0; i < quads; ++i, to += 2) {
    uint32_t four = from->index[i];
    to[0] = (weight(one, zero, four, 0) & 0xFFFFu) | weight(one, zero, four, 8) << 16;
    to[1] = (weight(one, zero, four, 16) & 0xFFFFu) | weight(one, zero, four, 24) << 16;
  }
}
