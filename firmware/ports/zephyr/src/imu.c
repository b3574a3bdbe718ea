/* Any IMU that Zephyr has a driver for, by the alias imu0. */
#include <zephyr/drivers/sensor.h>

#include "board.h"

/* Some drivers leave a sensor asleep until it is told how fast to run. */
#define HZ 104
#define FULL_SCALE_G 8
#define FULL_SCALE_DEGREES 2000

#if DT_NODE_EXISTS(DT_ALIAS(imu0))

static const struct device *const imu = DEVICE_DT_GET(DT_ALIAS(imu0));

/* A driver that has no such setting refuses it, and keeps that of its Kconfig. */
bool board_imu_open(void) {
  struct sensor_value acc_scale, gyro_scale;
  const struct sensor_value rate = {.val1 = HZ};
  if (!device_is_ready(imu)) {
    return false;
  }
  sensor_g_to_ms2(FULL_SCALE_G, &acc_scale);
  sensor_degrees_to_rad(FULL_SCALE_DEGREES, &gyro_scale);
  (void)sensor_attr_set(imu, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_FULL_SCALE, &acc_scale);
  (void)sensor_attr_set(imu, SENSOR_CHAN_GYRO_XYZ, SENSOR_ATTR_FULL_SCALE, &gyro_scale);
  (void)sensor_attr_set(imu, SENSOR_CHAN_ACCEL_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &rate);
  (void)sensor_attr_set(imu, SENSOR_CHAN_GYRO_XYZ, SENSOR_ATTR_SAMPLING_FREQUENCY, &rate);
  return true;
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
