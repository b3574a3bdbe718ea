#include "flash.h"

#include <string.h>

#include "tinyhar/config.h"
#include "tinyhar/port.h"
#include "tinyhar/slot.h"

/* A small flash is for models in the first place. */
#define LARGEST_SHARE 16

uint32_t thar_flash_taught_bytes(void) {
  const thar_port_flash_info *f = thar_port_flash_about();
  const uint32_t page = f->page_bytes;
  const uint32_t wanted = (THAR_TAUGHT_BYTES + page - 1) / page * page;
  const uint32_t most = f->size / THAR_SLOTS / LARGEST_SHARE / page * page;
  return wanted < most ? wanted : most;
}

uint32_t thar_flash_taught_start(uint8_t slot) {
  const uint32_t half = thar_port_flash_about()->size / THAR_SLOTS;
  return (slot + 1u) * half - thar_flash_taught_bytes();
}

bool thar_flash_is_blank(const uint8_t *bytes, uint32_t size) {
  for (uint32_t i = 0; i < size; i++) {
    if (bytes[i] != 0xFF) {
      return false;
    }
  }
  return true;
}

bool thar_flash_erase(uint32_t at) {
  const thar_port_flash_info *f = thar_port_flash_about();
  return thar_port_flash_erase(at) && thar_flash_is_blank(f->bytes + at, f->page_bytes);
}

bool thar_flash_program(uint32_t at, const uint8_t *bytes, uint32_t size) {
  return thar_port_flash_program(at, bytes, size) &&
         memcmp(thar_port_flash_about()->bytes + at, bytes, size) == 0;
}
