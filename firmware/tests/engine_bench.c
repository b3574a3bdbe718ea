/*
 * Counts the instructions of one invoke on the emulated Cortex-M4, with the port's start-up and
 * linker script. Under QEMU's `-icount shift=0` an instruction takes one nanosecond of virtual time
 * and SysTick runs at 25 MHz: 40 instructions a tick. Prints one line of JSON by semihosting.
 */
#include <stdbool.h>
#include <string.h>

#include "../ports/mps2_an386/board.h"
#include "tinyhar/engine.h"

#define INSTRUCTIONS_PER_TICK 40u
#define PAINT 0xA5A5A5A5u
#ifndef HOP
#define HOP 0 /* samples from window to window; 0: they have nothing to do with each other */
#endif

extern const uint8_t bench_model[], bench_model_end[];
extern const int8_t bench_windows[], bench_windows_end[], bench_golden[];
extern uint32_t thar_stack_start[];
extern uint8_t bench_arena[];
extern const uint32_t bench_arena_bytes;

static int semihost(int operation, const void *argument) {
  register int r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

static void print(const char *text) {
  (void)semihost(0x04, text);
}

static void print_number(const char *before, uint32_t value) {
  char digits[12];
  size_t at = sizeof digits - 1u;
  digits[at] = '\0';
  do {
    digits[--at] = (char)('0' + value % 10u);
    value /= 10u;
  } while (value != 0u);
  print(before);
  print(digits + at);
}

static _Noreturn void stop(uint32_t status) {
  const uint32_t arguments[2] = {0x20026u, status};
  for (;;) {
    (void)semihost(0x20, arguments);
  }
}

/* What the start-up code wants from the rest of the port. */
void board_restart(uint8_t reason) {
  print_number("fault ", reason);
  stop(3);
}
void clock_interrupt(void) {}
void uart_interrupt(void) {}

static uint32_t ticks(void) {
  return SYSTICK->val;
}

/* Bytes of stack below this function's frame that one invoke touches. */
static uint32_t stack_of_invoke(thar_engine *engine) {
  uint32_t *top;
  __asm__ volatile("mov %0, sp" : "=r"(top));
  for (volatile uint32_t *word = thar_stack_start; word < top; word++) {
    *word = PAINT;
  }
  (void)thar_engine_invoke(engine);
  const uint32_t *lowest = thar_stack_start;
  while (lowest < top && *lowest == PAINT) {
    lowest++;
  }
  return (uint32_t)(top - lowest) * 4u;
}

static uint32_t last;

static void layer_done(void *ctx, uint16_t layer, const int8_t *data, size_t bytes) {
  uint32_t now = ticks();
  (void)ctx;
  (void)data;
  (void)bytes;
  print_number(layer == 0u ? "" : ", ", ((last - now) & SYSTICK_MAX) * INSTRUCTIONS_PER_TICK);
  last = ticks();
}

int main(void) {
  thar_engine engine;
  size_t model_bytes = (size_t)(bench_model_end - bench_model);
  thar_engine_status status =
      thar_engine_init(&engine, bench_model, model_bytes, bench_arena, bench_arena_bytes);
  if (status != THAR_ENGINE_OK) {
    print_number("init ", (uint32_t)status);
    stop(1);
  }
  SYSTICK->load = SYSTICK_MAX;
  SYSTICK->val = 0;
  SYSTICK->ctrl = SYSTICK_ENABLE | SYSTICK_CORE_CLOCK;
  size_t in = thar_engine_input_bytes(&engine), out = thar_engine_output_bytes(&engine);
  uint32_t windows = 0, total = 0, mismatched = 0;
  const int8_t *golden = bench_golden;
  for (const int8_t *x = bench_windows; x + in <= bench_windows_end; x += in, golden += out) {
    memcpy(thar_engine_input(&engine), x, in);
    const bool follows = HOP != 0 && windows != 0u;
    uint32_t before = ticks();
    (void)(follows ? thar_engine_invoke_next(&engine, HOP) : thar_engine_invoke(&engine));
    total += HOP == 0 || follows ? (before - ticks()) & SYSTICK_MAX : 0u;
    for (size_t i = 0; i < out; ++i) {
      mismatched += thar_engine_output(&engine)[i] != golden[i];
    }
    windows++;
  }
  const uint32_t counted = windows - (HOP != 0);
  if (windows == 0u || counted == 0u) {
    print("too few windows");
    stop(1);
  }
  print_number("{\"windows\": ", windows);
  print_number(", \"instructions\": ", total / counted * INSTRUCTIONS_PER_TICK);
  print_number(", \"mismatched_bytes\": ", mismatched);
  print_number(", \"arena_bytes\": ", (uint32_t)thar_engine_arena_used(&engine));
  print_number(", \"engine_state_bytes\": ", (uint32_t)sizeof engine);
  print_number(", \"stack_bytes\": ", stack_of_invoke(&engine));
  print(", \"layers\": [");
  last = ticks();
  (void)thar_engine_invoke_traced(&engine, layer_done, NULL);
  print("]}\n");
  stop(0);
}
