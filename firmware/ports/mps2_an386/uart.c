/* UART0, received by interrupt into a ring, sent by waiting. */
#include "board.h"

/* A power of two. Enough for what arrives at 115,200 baud while a window is inferred in 40 ms. */
#define RING 512u
#define BAUD 115200u

static volatile uint8_t ring[RING];
static volatile uint32_t written; /* by the interrupt only */
static volatile uint32_t taken;   /* by the reader only */

void uart_init(void) {
  UART0->bauddiv = BOARD_CLOCK_HZ / BAUD;
  UART0->ctrl = UART_CTRL_TXEN | UART_CTRL_RXEN | UART_CTRL_RXINTEN;
  NVIC_ISER0 = 1u << UART0_RX_IRQ;
}

/* The flag is cleared before the byte is taken: taking it lets the next one in, and its flag must
 * stay. With the ring full the byte stays in the UART and the interrupt is off until there is room;
 * QEMU then holds the sender back, a real line would overrun. */
void uart_interrupt(void) {
  UART0->intclear = UART_INT_RX;
  while ((UART0->state & UART_STATE_RXFULL) != 0) {
    if (written - taken == RING) {
      UART0->ctrl = UART_CTRL_TXEN | UART_CTRL_RXEN;
      return;
    }
    ring[written % RING] = (uint8_t)UART0->data;
    written++;
  }
}

static size_t take(uint8_t *buffer, size_t capacity) {
  size_t size = 0;
  while (size < capacity && taken != written) {
    buffer[size++] = ring[taken % RING];
    taken++;
  }
  return size;
}

/* Interrupts are off from the look to the sleep, so that a byte between the two wakes it; WFI wakes
 * on a pending interrupt even so. */
size_t uart_read(uint8_t *buffer, size_t capacity) {
  irq_off();
  if (taken == written) {
    UART0->ctrl = UART_CTRL_TXEN | UART_CTRL_RXEN | UART_CTRL_RXINTEN;
    uart_interrupt();
  }
  if (taken == written) {
    sleep_until_interrupt();
  }
  irq_on();
  return take(buffer, capacity);
}

void uart_write(const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    while ((UART0->state & UART_STATE_TXFULL) != 0) {
    }
    UART0->data = bytes[i];
  }
}
