/* The port's parts: flash for models, and an IMU. */
#ifndef TINYHAR_ESP_BOARD_H
#define TINYHAR_ESP_BOARD_H

#include <stdbool.h>
#include <stdint.h>

/* False: there is no partition "models"; the band then keeps none. */
bool board_flash_open(void);

/* False: no MPU-6050 answers; the band then waits for what a host streams. */
bool board_imu_open(void);
/* m/s^2 and rad/s; false: the bus failed. */
bool board_imu_read(float acc[3], float gyro[3]);

#endif
