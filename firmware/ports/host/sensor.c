#define _XOPEN_SOURCE 600
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "host.h"

#define LATE_SAMPLES 100 /* a process that slept does not catch up on more */

static int16_t *values;
static size_t count; /* values, not samples */
static size_t next;
static double due; /* seconds */

static double now(void) {
  struct timespec time;
  (void)clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

bool host_sensor_open(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
    return false;
  }
  const long size = ftell(file);
  rewind(file);
  count = size > 0 ? (size_t)size / sizeof *values : 0;
  values = calloc(count + 1, sizeof *values);
  if (values == NULL || fread(values, sizeof *values, count, file) != count) {
    return false;
  }
  (void)fclose(file);
  errno = EINVAL;
  return count != 0;
}

static double period(const thar_band *band) {
  return 1000.0 / band->model.bundle.header.rate_mhz;
}

int host_sensor_due(const thar_band *band) {
  if (values == NULL || band->model.problem != NULL) {
    return -1;
  }
  const double left = due - now();
  if (left < -LATE_SAMPLES * period(band)) {
    due = now();
  }
  return left > 0 ? (int)(left * 1000) + 1 : 0;
}

void host_sensor_deliver(thar_band *band) {
  const size_t channels = band->model.bundle.header.channels;
  due += period(band);
  if (next + channels > count) {
    next = 0;
  }
  if (next + channels <= count) {
    (void)thar_band_sense(band, values + next, (uint8_t)channels);
    next += channels;
  }
}
