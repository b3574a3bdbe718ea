/* The host port's parts: the line (a pseudo-terminal or a socket), the flash and the sensor (files)
 * and the life of the process. */
#ifndef TINYHAR_PORT_HOST_H
#define TINYHAR_PORT_HOST_H

#include "tinyhar/band.h"
#include "tinyhar/port.h"

typedef struct {
  int listener; /* socket that accepts clients; -1 on a pseudo-terminal */
  int client;   /* connected socket, or the terminal's master; -1: nobody */
  int keeper;   /* the terminal's slave, held open so that a leaving client is no hang-up; or -1 */
} host_line;

/* Both print `listening URL` on stdout; false: errno tells. port 0: any. */
bool host_line_open_pty(host_line *line);
bool host_line_open_tcp(host_line *line, uint16_t port);

/* Waits until there is something to read, a client to accept, or so many milliseconds are over. */
bool host_line_wait(const host_line *line, int milliseconds);
size_t host_line_read(host_line *line, uint8_t *buffer, size_t capacity);
void host_line_write(host_line *line, const uint8_t *bytes, size_t size);

typedef struct {
  uint32_t size;
  uint32_t page_bytes;
  uint32_t program_bytes;
} host_flash_shape;

/* For tests: after so many erases and programs the power is cut, and the process ends with status
 * 75; -1: never. torn: in the middle of the next one instead of before it. */
typedef struct {
  long cut_after;
  bool torn;
} host_flash_faults;

/* path NULL: a file without a name, or the one that the process before left open as *kept, which is
 * then what to leave to the next. False: errno tells; EINVAL: the file is not of this shape. */
bool host_flash_open(const char *path, const host_flash_shape *shape, host_flash_faults faults,
                     int *kept);

/* A sensor that delivers a file's samples (int16 little-endian, [n][channels]) over and over, at the
 * rate of the band's bundle. False: errno tells; EINVAL: no samples in it. */
bool host_sensor_open(const char *path);
/* Milliseconds until the next sample is due, -1 without a sensor; then hand it over. */
int host_sensor_due(const thar_band *band);
void host_sensor_deliver(thar_band *band);

/* Notes how to start again, and takes over what the process before left: true if there was one,
 * with its line still open, and its nameless flash in *flash (-1: none). reason and boot_id are
 * filled in either case. */
bool host_restart_prepare(char **argv, host_line *line, int *flash, uint8_t *reason,
                          uint32_t *boot_id);

/* Becomes a new process image on the same line. Does not return; safe in a signal handler. */
void host_restart(uint8_t reason);

#endif
