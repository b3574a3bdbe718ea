/* An MPU-6050 (or MPU-6500, -9250) at its full scales of 8 g and 2000 deg/s. */
#include "board.h"
#include "driver/i2c_master.h"

#define SDA GPIO_NUM_8
#define SCL GPIO_NUM_9
#define ADDRESS 0x68
#define CLOCK_HZ 400000
#define PATIENCE_MS 20

#define LOW_PASS 0x1A
#define GYRO_SCALE 0x1B
#define ACC_SCALE 0x1C
#define VALUES 0x3B
#define POWER 0x6B

#define GRAVITY 9.80665f
#define ACC_UNIT (8 * GRAVITY / 32768)
#define GYRO_UNIT (2000 * 0.01745329252f / 32768)

static i2c_master_dev_handle_t imu;

static bool set(uint8_t where, uint8_t value) {
  const uint8_t bytes[] = {where, value};
  return i2c_master_transmit(imu, bytes, sizeof bytes, PATIENCE_MS) == ESP_OK;
}

bool board_imu_open(void) {
  i2c_master_bus_handle_t bus;
  const i2c_master_bus_config_t wires = {
      .i2c_port = I2C_NUM_0,
      .sda_io_num = SDA,
      .scl_io_num = SCL,
      .clk_source = I2C_CLK_SRC_DEFAULT,
      .glitch_ignore_cnt = 7,
      .flags.enable_internal_pullup = true,
  };
  const i2c_device_config_t device = {
      .dev_addr_length = I2C_ADDR_BIT_LEN_7,
      .device_address = ADDRESS,
      .scl_speed_hz = CLOCK_HZ,
  };
  if (i2c_new_master_bus(&wires, &bus) != ESP_OK ||
      i2c_master_probe(bus, ADDRESS, PATIENCE_MS) != ESP_OK ||
      i2c_master_bus_add_device(bus, &device, &imu) != ESP_OK) {
    return false;
  }
  /* Awake by the gyroscope's clock; low pass at 20 Hz against what a sample rate would fold. */
  return set(POWER, 1) && set(LOW_PASS, 4) && set(GYRO_SCALE, 3 << 3) && set(ACC_SCALE, 2 << 3);
}

static float number(const uint8_t *bytes) {
  return (int16_t)(bytes[0] << 8 | bytes[1]);
}

/* Three of the accelerometer, the temperature, three of the gyroscope; big-endian. */
bool board_imu_read(float acc[3], float gyro[3]) {
  const uint8_t first = VALUES;
  uint8_t bytes[14];
  if (i2c_master_transmit_receive(imu, &first, 1, bytes, sizeof bytes, PATIENCE_MS) != ESP_OK) {
    return false;
  }
  for (int axis = 0; axis < 3; axis++) {
    acc[axis] = number(bytes + 2 * axis) * ACC_UNIT;
    gyro[axis] = number(bytes + 8 + 2 * axis) * GYRO_UNIT;
  }
  return true;
}
