/* What the model store and the taught classes share about flash. */
#ifndef TINYHAR_SRC_FLASH_H
#define TINYHAR_SRC_FLASH_H

#include <stdbool.h>
#include <stdint.h>

/* Of each slot's half, the bytes at its end that keep taught classes: whole pages, perhaps none. */
uint32_t thar_flash_taught_bytes(void);
/* Where they begin in the area. */
uint32_t thar_flash_taught_start(uint8_t slot);

bool thar_flash_is_blank(const uint8_t *bytes, uint32_t size);
/* Erases a page and looks whether it is blank. */
bool thar_flash_erase(uint32_t at);
/* Programs within a page, and reads back. */
bool thar_flash_program(uint32_t at, const uint8_t *bytes, uint32_t size);

#endif
