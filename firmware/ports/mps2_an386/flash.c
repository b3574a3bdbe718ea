/* Flash for models: the last megabyte of the ZBT RAM that plays the flash. It survives a restart,
 * loading an image does not touch it, and power-off forgets it. Pages and units are an nRF52840's, and
 * its rules are kept: a unit is programmed once between erases. */
#include "tinyhar/port.h"

#define PAGE_BYTES 4096u
#define UNIT_BYTES 4u
#define BLANK 0xFFu

extern volatile uint8_t thar_models_start[];
extern uint8_t thar_models_end[];

static thar_port_flash_info about = {.page_bytes = PAGE_BYTES, .program_bytes = UNIT_BYTES};

const thar_port_flash_info *thar_port_flash_about(void) {
  about.bytes = (const uint8_t *)(uintptr_t)thar_models_start;
  about.size = (uint32_t)((uintptr_t)thar_models_end - (uintptr_t)thar_models_start);
  return &about;
}

bool thar_port_flash_erase(uint32_t at) {
  if (at % PAGE_BYTES != 0 || at >= thar_port_flash_about()->size) {
    return false;
  }
  for (uint32_t i = 0; i < PAGE_BYTES; i++) {
    thar_models_start[at + i] = BLANK;
  }
  return true;
}

bool thar_port_flash_program(uint32_t at, const uint8_t *bytes, uint32_t size) {
  const uint32_t all = thar_port_flash_about()->size;
  if (at % UNIT_BYTES != 0 || size % UNIT_BYTES != 0 || size > all || at > all - size) {
    return false;
  }
  for (uint32_t i = 0; i < size; i++) {
    if (thar_models_start[at + i] != BLANK) {
      return false;
    }
    thar_models_start[at + i] = bytes[i];
  }
  return true;
}
