/* The band on an ESP32-S3: UART0 is the line, an MPU-6050 on I2C the sensor. */

#include "board.h"
#include "driver/uart.h"
#include "esp_cpu.h"
#include "esp_random.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "tinyhar.h"

#define LINE UART_NUM_0
#define LINE_BUFFER 4096
#define BAUD 115200
#define MOST_LATE 10 /* samples to make up for; after that some are missing */
#define PERIOD_US (1000000000LL / TINYHAR_RATE_MILLIHERTZ)

static thar_port_info about = {.board = "esp32s3"};
static thar_band band;
static _Alignas(16) uint8_t arena[THAR_ARENA_BYTES];

const thar_port_info *thar_port_about(void) {
  return &about;
}

/* What is there; where nothing is, waits a tick of FreeRTOS for one byte. */
size_t thar_port_read(uint8_t *buffer, size_t capacity) {
  size_t there = 0;
  (void)uart_get_buffered_data_len(LINE, &there);
  const size_t most = there < capacity ? there : capacity;
  const int got = uart_read_bytes(LINE, buffer, most > 0 ? (uint32_t)most : 1u, most > 0 ? 0 : 1);
  return got > 0 ? (size_t)got : 0;
}

void thar_port_write(const uint8_t *bytes, size_t size) {
  (void)uart_write_bytes(LINE, bytes, size);
}

uint32_t thar_port_ticks(void) {
  return (uint32_t)esp_cpu_get_cycle_count();
}

uint32_t thar_port_milliseconds(void) {
  return (uint32_t)(esp_timer_get_time() / 1000);
}

uint32_t thar_port_stack_used(void) {
  const uint32_t left = (uint32_t)uxTaskGetStackHighWaterMark(NULL);
  return CONFIG_ESP_MAIN_TASK_STACK_SIZE - left;
}

void thar_port_reset(void) {
  (void)uart_wait_tx_done(LINE, pdMS_TO_TICKS(100));
  esp_restart();
}

static uint8_t reset_reason(void) {
  switch (esp_reset_reason()) {
    case ESP_RST_POWERON:
    case ESP_RST_EXT:
    case ESP_RST_DEEPSLEEP:
    case ESP_RST_BROWNOUT:
    case ESP_RST_USB:
    case ESP_RST_JTAG:
      return THAR_RESET_REASON_POWER_ON;
    case ESP_RST_SW:
      return THAR_RESET_REASON_REQUESTED;
    case ESP_RST_INT_WDT:
    case ESP_RST_TASK_WDT:
    case ESP_RST_WDT:
      return THAR_RESET_REASON_WATCHDOG;
    case ESP_RST_PANIC:
      return THAR_RESET_REASON_FAULT;
    default:
      return THAR_RESET_REASON_UNKNOWN;
  }
}

static void open_line(void) {
  const uart_config_t config = {
      .baud_rate = BAUD,
      .data_bits = UART_DATA_8_BITS,
      .parity = UART_PARITY_DISABLE,
      .stop_bits = UART_STOP_BITS_1,
      .source_clk = UART_SCLK_DEFAULT,
  };
  ESP_ERROR_CHECK(uart_driver_install(LINE, LINE_BUFFER, LINE_BUFFER, 0, NULL, 0));
  ESP_ERROR_CHECK(uart_param_config(LINE, &config));
}

static void sense(int64_t *due) {
  float acc[3], gyro[3];
  int16_t counts[TINYHAR_CHANNELS];
  const int64_t late = esp_timer_get_time() - *due;
  if (late < 0) {
    return;
  }
  *due += late > MOST_LATE * PERIOD_US ? late : PERIOD_US;
  if (board_imu_read(acc, gyro)) {
    tinyhar_counts(acc, gyro, counts);
    (void)thar_band_sense(&band, counts, TINYHAR_CHANNELS); /* thar_band_shown() tells what it is */
  }
}

void app_main(void) {
  uint8_t bytes[256];
  open_line();
  (void)board_flash_open();
  const bool has_imu = board_imu_open();
  about.boot_id = esp_random();
  about.reset_reason = reset_reason();
  about.tick_hz = CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ * 1000000u;
  about.bundle = tinyhar_bundle;
  about.bundle_bytes = TINYHAR_BUNDLE_BYTES;
  thar_band_init(&band, arena, sizeof arena);
  thar_band_announce(&band);
  for (int64_t due = esp_timer_get_time();;) {
    thar_band_receive(&band, bytes, thar_port_read(bytes, sizeof bytes));
    if (has_imu) {
      sense(&due);
    }
  }
}
