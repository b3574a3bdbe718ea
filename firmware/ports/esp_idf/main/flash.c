/* Models and taught classes in the partition "models", mapped so that they are read in place. */
#include "board.h"
#include "esp_partition.h"
#include "tinyhar.h"

#define PROGRAM_BYTES 4

static const esp_partition_t *models;
static thar_port_flash_info about;

bool board_flash_open(void) {
  const void *mapped;
  esp_partition_mmap_handle_t handle;
  models = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "models");
  if (models == NULL || esp_partition_mmap(models, 0, models->size, ESP_PARTITION_MMAP_DATA,
                                           &mapped, &handle) != ESP_OK) {
    return false;
  }
  about.bytes = mapped;
  about.size = models->size;
  about.page_bytes = models->erase_size;
  about.program_bytes = PROGRAM_BYTES;
  return true;
}

const thar_port_flash_info *thar_port_flash_about(void) {
  return about.bytes != NULL ? &about : NULL;
}

bool thar_port_flash_erase(uint32_t at) {
  return esp_partition_erase_range(models, at, about.page_bytes) == ESP_OK;
}

bool thar_port_flash_program(uint32_t at, const uint8_t *bytes, uint32_t size) {
  return esp_partition_write(models, at, bytes, size) == ESP_OK;
}
