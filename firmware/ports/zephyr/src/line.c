/* The line: a UART whose bytes an interrupt puts into a ring. */
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/ring_buffer.h>

#include "board.h"
#include "tinyhar.h"

RING_BUF_DECLARE(received, 1024);
static K_SEM_DEFINE(arrived, 0, 1);
static const struct device *const uart = DEVICE_DT_GET(DT_CHOSEN(tinyhar_line));

static void on_uart(const struct device *device, void *context) {
  uint8_t bytes[16];
  (void)context;
  while (uart_irq_update(device) && uart_irq_rx_ready(device)) {
    const int got = uart_fifo_read(device, bytes, sizeof bytes);
    if (got > 0) {
      (void)ring_buf_put(&received, bytes, (uint32_t)got);
      k_sem_give(&arrived);
    }
  }
}

bool board_line_open(void) {
  if (!device_is_ready(uart) || uart_irq_callback_user_data_set(uart, on_uart, NULL) != 0) {
    return false;
  }
  uart_irq_rx_enable(uart);
  return true;
}

/* Waits five milliseconds at most, so that the sensor is not kept waiting. */
size_t thar_port_read(uint8_t *buffer, size_t capacity) {
  if (ring_buf_is_empty(&received)) {
    (void)k_sem_take(&arrived, K_MSEC(5));
  }
  return ring_buf_get(&received, buffer, (uint32_t)capacity);
}

void thar_port_write(const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    uart_poll_out(uart, bytes[i]);
  }
}
