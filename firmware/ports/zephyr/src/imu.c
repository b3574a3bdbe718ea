/* Any IMU that Zephyr has a driver for, by the alias imu0. */
#include <zephyr/drivers/sensor.h>

#include "board.h"

#if DT_NODE_EXISTS(DT_ALIAS(imu0))

static const struct device *const imu = DEVICE_DT_GET(DT_ALIAS(imu0));

bool board_imu_open(void) {
  return device_is_ready(imu);
}

static bool read(enum sensor_channel channel, float values[3]) {
  struct sensor_value three[3];
  if (sensor_channel_get(imu, channel, three) != 0) {
    return false;
  }
  for (int axis = 0; axis < 3; axis++) {
    values[axis] = sensor_value_to_float(&three[axis]);
  }
  return true;
}

bool board_imu_read(float acc[3], float gyro[3]) {
  return sensor_sample_fetch(imu) == 0 && read(SENSOR_CHAN_ACCEL_XYZ, acc) &&
         read(SENSOR_CHAN_GYRO_XYZ, gyro);
}

#else

bool board_imu_open(void) {
  return false;
}

bool board_imu_read(float acc[3], float gyro[3]) {
  (void)acc;
  (void)gyro;
  return false;
}

#endif
