/* From reset to main: vectors, memory, the stack's paint, and what to do when something goes
 * wrong. */
#include <stddef.h>

#include "board.h"
#include "tinyhar/messages.h"

#define VECTORS 48

typedef void (*handler)(void);

extern uint32_t thar_stack_start[], thar_stack_end[];
extern uint32_t thar_data_load[], thar_data_start[], thar_data_end[];
extern uint32_t thar_bss_start[], thar_bss_end[];

int main(void);
_Noreturn void reset_handler(void);

__attribute__((used)) static void restart_after_fault(void) {
  board_restart(THAR_RESET_REASON_FAULT);
}

/* On a stack made new first: an overflow is one of the ways to get here. */
__attribute__((naked)) static void fault(void) {
  __asm__ volatile(
      "ldr r0, =thar_stack_end\n\t"
      "mov sp, r0\n\t"
      "b restart_after_fault");
}

/* Left where the stack has never been; thar_port_stack_used looks for it. Volatile, lest the
 * compiler call memset, whose own frame would be painted over. */
static void paint_stack(void) {
  volatile uint32_t *top;
  __asm__ volatile("mov %0, sp" : "=r"(top));
  for (volatile uint32_t *word = thar_stack_start; word < top; word++) {
    *word = 0xA5A5A5A5u;
  }
}

_Noreturn void reset_handler(void) {
  paint_stack();
  SCB_CPACR |= SCB_CPACR_FPU;
  __asm__ volatile("dsb\n\tisb" ::: "memory");
  const uint32_t *from = thar_data_load;
  for (uint32_t *to = thar_data_start; to < thar_data_end; to++) {
    *to = *from++;
  }
  for (uint32_t *word = thar_bss_start; word < thar_bss_end; word++) {
    *word = 0;
  }
  (void)main();
  board_restart(THAR_RESET_REASON_FAULT);
}

typedef union {
  handler function;
  uint32_t *stack;
} vector;

/* What is not named here is not enabled, except faults; all of those end in HardFault anyway. */
__attribute__((section(".vectors"), used)) static const vector vectors[VECTORS] = {
    [0] = {.stack = thar_stack_end},
    [1] = {.function = reset_handler},
    [2] = {.function = fault}, /* NMI */
    [3] = {.function = fault}, /* HardFault */
    [4] = {.function = fault},
    [5] = {.function = fault},
    [6] = {.function = fault},
    [11] = {.function = fault},
    [12] = {.function = fault},
    [14] = {.function = fault},
    [15] = {.function = clock_interrupt},
    [16 + UART0_RX_IRQ] = {.function = uart_interrupt},
};
