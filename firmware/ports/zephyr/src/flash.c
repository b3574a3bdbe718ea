/* Models and taught classes in the partition "models" of the chip's own flash, read in place. */
#include <zephyr/storage/flash_map.h>

#include "tinyhar.h"

#define MODELS models_partition
#define PAGE_BYTES 4096
#define PROGRAM_BYTES 4

static const thar_port_flash_info about = {
    .bytes = (const uint8_t *)(uintptr_t)DT_REG_ADDR(DT_NODELABEL(MODELS)),
    .size = FIXED_PARTITION_SIZE(MODELS),
    .page_bytes = PAGE_BYTES,
    .program_bytes = PROGRAM_BYTES,
};

const thar_port_flash_info *thar_port_flash_about(void) {
  return &about;
}

bool thar_port_flash_erase(uint32_t at) {
  const struct flash_area *area;
  return flash_area_open(FIXED_PARTITION_ID(MODELS), &area) == 0 &&
         flash_area_erase(area, (off_t)at, PAGE_BYTES) == 0;
}

bool thar_port_flash_program(uint32_t at, const uint8_t *bytes, uint32_t size) {
  const struct flash_area *area;
  return flash_area_open(FIXED_PARTITION_ID(MODELS), &area) == 0 &&
         flash_area_write(area, (off_t)at, bytes, size) == 0;
}
