// The port: what the core asks of an Arduino Nano 33 BLE, with the Mbed OS that its core brings.
#include "port.h"

#include <Arduino.h>
#include <FlashIAP.h>
#include <USB/PluggableUSBSerial.h>
#include <mbed.h>

namespace {

// The end of the nRF52840's flash, far behind any sketch: two slots of 64 kB.
constexpr uint32_t kModelsAt = 0xE0000;
constexpr uint32_t kModelsBytes = 0x20000;
constexpr uint32_t kPatience = 2000;  // milliseconds
constexpr uint32_t kFault = 0xFA;     // in a register that lives through a restart

mbed::FlashIAP flash;
thar_port_info about = {};
thar_port_flash_info flashed = {};

// The reason is a set of bits that stay until they are cleared; none: power came on.
uint8_t ResetReason() {
  const uint32_t bits = NRF_POWER->RESETREAS;
  NRF_POWER->RESETREAS = bits;
  const bool faulted = NRF_POWER->GPREGRET2 == kFault;
  NRF_POWER->GPREGRET2 = 0;
  if (bits & POWER_RESETREAS_DOG_Msk) return THAR_RESET_REASON_WATCHDOG;
  if (bits & POWER_RESETREAS_LOCKUP_Msk) return THAR_RESET_REASON_FAULT;
  if (bits & POWER_RESETREAS_SREQ_Msk) {
    return faulted ? THAR_RESET_REASON_FAULT : THAR_RESET_REASON_REQUESTED;
  }
  return THAR_RESET_REASON_POWER_ON;
}

uint32_t RandomNumber() {
  uint32_t number = 0;
  NRF_RNG->TASKS_START = 1;
  for (int i = 0; i < 4; i++) {
    NRF_RNG->EVENTS_VALRDY = 0;
    while (NRF_RNG->EVENTS_VALRDY == 0) {
    }
    number = number << 8 | NRF_RNG->VALUE;
  }
  NRF_RNG->TASKS_STOP = 1;
  return number;
}

}  // namespace

// Mbed OS would blink for ever; a band starts again, and counts it as a crash.
extern "C" void mbed_error_hook(const mbed_error_ctx *) {
  NRF_POWER->GPREGRET2 = kFault;
  NVIC_SystemReset();
}

void PortBegin() {
  Serial.begin(115200);
  CoreDebug->DEMCR |= CoreDebug_DEMCR_TRCENA_Msk;
  DWT->CTRL |= DWT_CTRL_CYCCNTENA_Msk;
  flash.init();
  flashed = {reinterpret_cast<const uint8_t *>(kModelsAt), kModelsBytes,
             flash.get_sector_size(kModelsAt), flash.get_page_size()};
  about.board = "arduino_nano33ble";
  about.boot_id = RandomNumber();
  about.reset_reason = ResetReason();
  about.tick_hz = SystemCoreClock;
  about.bundle = tinyhar_bundle;
  about.bundle_bytes = TINYHAR_BUNDLE_BYTES;
}

const thar_port_info *thar_port_about(void) {
  return &about;
}

size_t thar_port_read(uint8_t *buffer, size_t capacity) {
  size_t size = 0;
  while (size < capacity && Serial.available() > 0) {
    buffer[size++] = static_cast<uint8_t>(Serial.read());
  }
  return size;
}

// What a host does not read for a while is lost: the band must not stand still for it.
void thar_port_write(const uint8_t *bytes, size_t size) {
  for (const uint32_t begin = millis(); size > 0 && Serial && millis() - begin < kPatience;) {
    uint32_t sent = 0;
    _SerialUSB.send_nb(const_cast<uint8_t *>(bytes), size, &sent);
    bytes += sent;
    size -= sent;
  }
}

uint32_t thar_port_ticks(void) {
  return DWT->CYCCNT;
}

uint32_t thar_port_milliseconds(void) {
  return millis();
}

uint32_t thar_port_stack_used(void) {
  return 0;
}

void thar_port_reset(void) {
  Serial.flush();
  delay(20);
  NVIC_SystemReset();
}

const thar_port_flash_info *thar_port_flash_about(void) {
  return &flashed;
}

bool thar_port_flash_erase(uint32_t at) {
  return flash.erase(kModelsAt + at, flashed.page_bytes) == 0;
}

bool thar_port_flash_program(uint32_t at, const uint8_t *bytes, uint32_t size) {
  return flash.program(bytes, kModelsAt + at, size) == 0;
}
