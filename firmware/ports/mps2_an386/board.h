/* Registers of the MPS2 AN386 that the port uses: Cortex-M4 system control (ARMv7-M ARM, B3) and
 * CMSDK UART (Cortex-M System Design Kit TRM, 4.3). */
#ifndef TINYHAR_PORT_MPS2_BOARD_H
#define TINYHAR_PORT_MPS2_BOARD_H

#include <stddef.h>
#include <stdint.h>

#define BOARD_CLOCK_HZ 25000000u

typedef volatile uint32_t reg;

typedef struct {
  reg data;
  reg state;
  reg ctrl;
  reg intclear; /* read: status */
  reg bauddiv;
} uart_registers;

#define UART0 ((uart_registers *)0x40004000u)
#define UART_STATE_TXFULL (1u << 0)
#define UART_STATE_RXFULL (1u << 1)
#define UART_CTRL_TXEN (1u << 0)
#define UART_CTRL_RXEN (1u << 1)
#define UART_CTRL_RXINTEN (1u << 3)
#define UART_INT_RX (1u << 1)
#define UART0_RX_IRQ 0u

typedef struct {
  reg ctrl;
  reg load;
  reg val;
  reg calib;
} systick_registers;

#define SYSTICK ((systick_registers *)0xE000E010u)
#define SYSTICK_ENABLE (1u << 0)
#define SYSTICK_TICKINT (1u << 1)
#define SYSTICK_CORE_CLOCK (1u << 2)
#define SYSTICK_MAX 0x00FFFFFFu

#define NVIC_ISER0 (*(reg *)0xE000E100u)
#define SCB_ICSR (*(reg *)0xE000ED04u)
#define SCB_ICSR_PENDSTSET (1u << 26)
#define SCB_AIRCR (*(reg *)0xE000ED0Cu)
#define SCB_AIRCR_RESET 0x05FA0004u
#define SCB_CPACR (*(reg *)0xE000ED88u)
#define SCB_CPACR_FPU (0xFu << 20)

static inline void irq_off(void) {
  __asm__ volatile("cpsid i" ::: "memory");
}

static inline void irq_on(void) {
  __asm__ volatile("cpsie i" ::: "memory");
}

static inline void sleep_until_interrupt(void) {
  __asm__ volatile("dsb\n\twfi\n\tisb" ::: "memory");
}

/* ---- between the port's files ---- */

/* Restarts; `reason` (messages.h) is what the next boot reports. */
_Noreturn void board_restart(uint8_t reason);

/* Two lines, of which main.c uses one; reading waits for at least one byte. */
void uart_init(void);
void uart_interrupt(void);
size_t uart_read(uint8_t *buffer, size_t capacity);
void uart_write(const uint8_t *bytes, size_t size);
size_t console_read(uint8_t *buffer, size_t capacity);
void console_write(const uint8_t *bytes, size_t size);

void clock_init(void);
void clock_interrupt(void);

#endif
