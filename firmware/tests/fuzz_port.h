/* A board for the fuzz targets: flash in RAM as strict as NOR, a line whose other end checks every
 * frame that the band sends, and a bundle in the image. What must not be ends in abort(). */
#ifndef FUZZ_PORT_H
#define FUZZ_PORT_H

#include "fuzz_repair.h"
#include "tinyhar/band.h"

#define FUZZ_PAGE 256
/* Two slots of a header of 1024 bytes, 4864 for a bundle, and 256 for two taught classes. */
#define FUZZ_FLASH_BYTES 12288

typedef struct {
  int cut_after;   /* flash operations until the power goes; below 0: never */
  bool flash_dead; /* every erase and program fails */
  uint8_t last_type; /* of the last frame that the band sent */
} fuzz_board;

extern fuzz_board fuzz;
extern uint8_t fuzz_flash[FUZZ_FLASH_BYTES];

/* A blank board, whose image carries the stub bundle. */
void fuzz_fresh(void);
/* The same just after its first boot, without the time that a boot takes. */
void fuzz_fresh_and_booted(void);

/* Boots; false: the power went meanwhile. */
bool fuzz_boot(uint8_t reset_reason);
/* The same of bytes that come off the line, or of a payload that is framed first. */
bool fuzz_receive(const uint8_t *bytes, size_t size);
bool fuzz_ask(const uint8_t *payload, size_t size);

/* Aborts unless the band says who it is. */
void fuzz_expect_alive(void);
/* Boots without a fault and aborts unless a whole model runs. */
void fuzz_expect_whole(void);

const thar_band *fuzz_band(void);
void fuzz_expect(bool right);

extern const uint8_t thar_bundle_start[];
extern const uint8_t thar_bundle_end[];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
