/* The port's parts: the line, flash for models, and an IMU. */
#ifndef TINYHAR_ZEPHYR_BOARD_H
#define TINYHAR_ZEPHYR_BOARD_H

#include <stdbool.h>
#include <stdint.h>

bool board_line_open(void);

/* False: the devicetree has no alias imu0, or it is not ready; the band then waits for what a host
 * streams. */
bool board_imu_open(void);
/* m/s^2 and rad/s; false: the sensor failed. */
bool board_imu_read(float acc[3], float gyro[3]);

#endif
