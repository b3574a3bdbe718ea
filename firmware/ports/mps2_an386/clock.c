/* SysTick, 24 bits counting down at 25 MHz, extended to 64 by its interrupt every 0.67 s. */
#include "board.h"
#include "tinyhar/port.h"

static volatile uint32_t wraps;

void clock_init(void) {
  SYSTICK->load = SYSTICK_MAX;
  SYSTICK->val = 0;
  SYSTICK->ctrl = SYSTICK_ENABLE | SYSTICK_TICKINT | SYSTICK_CORE_CLOCK;
}

void clock_interrupt(void) {
  wraps++;
}

/* The counter may wrap before its interrupt is served or between two looks: a changed number of
 * wraps asks for another look, a pending interrupt stands for one more wrap. */
static uint64_t ticks(void) {
  uint32_t before, value, pending;
  do {
    before = wraps;
    value = SYSTICK->val;
    pending = SCB_ICSR & SCB_ICSR_PENDSTSET;
  } while (before != wraps);
  /* Pending and a high value: it wrapped before the look at it; a low value: after it. */
  const uint32_t ahead = pending != 0 && value > SYSTICK_MAX / 2 ? 1 : 0;
  return ((uint64_t)(before + ahead) << 24) + (SYSTICK_MAX - value);
}

uint32_t thar_port_ticks(void) {
  return (uint32_t)ticks();
}

uint32_t thar_port_milliseconds(void) {
  return (uint32_t)(ticks() / (BOARD_CLOCK_HZ / 1000u));
}
