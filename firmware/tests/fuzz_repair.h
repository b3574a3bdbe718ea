#ifndef FUZZ_REPAIR_H
#define FUZZ_REPAIR_H

#include <stddef.h>
#include <stdint.h>

/* What a bundle says of itself made true: length, CRC-32, identity. Shorter than a header it
 * is left as it is. */
void fuzz_repair_bundle(uint8_t *bytes, size_t size);

#endif
