/* The band on an nRF52840 under Zephyr. */
#include <cmsis_core.h>
#include <zephyr/drivers/hwinfo.h>
#include <zephyr/kernel.h>
#include <zephyr/random/random.h>
#include <zephyr/sys/reboot.h>

#include "board.h"
#include "tinyhar.h"

#define CPU_HZ 64000000 /* an nRF52840's */
#define MOST_LATE 10 /* samples to make up for; after that some are missing */
#define PERIOD_NS (1000000000000ULL / TINYHAR_RATE_MILLIHERTZ)
#define FAULT 0x544C5546u

static thar_port_info about = {.board = CONFIG_BOARD};
static thar_band band;
static _Alignas(16) uint8_t arena[THAR_ARENA_BYTES];
static __noinit uint32_t fault; /* lives through a restart */

const thar_port_info *thar_port_about(void) {
  return &about;
}

/* The kernel's clock has 32 kHz on this chip; the core's own counts every cycle. */
uint32_t thar_port_ticks(void) {
  return DWT->CYCCNT;
}

uint32_t thar_port_milliseconds(void) {
  return k_uptime_get_32();
}

uint32_t thar_port_stack_used(void) {
  size_t unused;
  const bool known = k_thread_stack_space_get(k_current_get(), &unused) == 0;
  return known ? (uint32_t)(CONFIG_MAIN_STACK_SIZE - unused) : 0;
}

void thar_port_reset(void) {
  k_msleep(20);
  sys_reboot(SYS_REBOOT_COLD);
}

/* Zephyr's own handler stands still; a band starts again, and counts it as a crash. */
void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *frame) {
  ARG_UNUSED(reason);
  ARG_UNUSED(frame);
  fault = FAULT;
  sys_reboot(SYS_REBOOT_COLD);
}

static uint8_t reset_reason(void) {
  uint32_t cause = 0;
  const bool faulted = fault == FAULT;
  fault = 0;
  if (hwinfo_get_reset_cause(&cause) != 0) {
    return THAR_RESET_REASON_UNKNOWN;
  }
  (void)hwinfo_clear_reset_cause();
  if ((cause & RESET_WATCHDOG) != 0) {
    return THAR_RESET_REASON_WATCHDOG;
  }
  if ((cause & RESET_CPU_LOCKUP) != 0 || ((cause & RESET_SOFTWARE) != 0 && faulted)) {
    return THAR_RESET_REASON_FAULT;
  }
  return (cause & RESET_SOFTWARE) != 0 ? THAR_RESET_REASON_REQUESTED : THAR_RESET_REASON_POWER_ON;
}

static void sense(uint64_t *due) {
  float acc[3], gyro[3];
  int16_t counts[TINYHAR_CHANNELS];
  const uint64_t now = k_ticks_to_ns_floor64((uint64_t)k_uptime_ticks());
  if (now < *due) {
    return;
  }
  *due = now - *due > MOST_LATE * PERIOD_NS ? now : *due + PERIOD_NS;
  if (board_imu_read(acc, gyro)) {
    tinyhar_counts(acc, gyro, counts);
    (void)thar_band_sense(&band, counts, TINYHAR_CHANNELS); /* thar_band_shown() tells what it is */
  }
}

int main(void) {
  uint8_t bytes[64];
  CoreDebug->DEMCR |= CoreDebug_DEMCR_TRCENA_Msk;
  DWT->CTRL |= DWT_CTRL_CYCCNTENA_Msk;
  about.boot_id = sys_rand32_get();
  about.reset_reason = reset_reason();
  about.tick_hz = CPU_HZ;
  about.bundle = tinyhar_bundle;
  about.bundle_bytes = TINYHAR_BUNDLE_BYTES;
  if (!board_line_open()) {
    return -1;
  }
  const bool has_imu = board_imu_open();
  thar_band_init(&band, arena, sizeof arena);
  thar_band_announce(&band);
  for (uint64_t due = k_ticks_to_ns_floor64((uint64_t)k_uptime_ticks());;) {
    thar_band_receive(&band, bytes, thar_port_read(bytes, sizeof bytes));
    if (has_imu) {
      sense(&due);
    }
  }
}
