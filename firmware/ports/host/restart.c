#define _XOPEN_SOURCE 600
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "tinyhar/messages.h"

/* What survives a restart: reason, listener, client, keeper and nameless flash, in decimal. */
#define VARIABLE "TINYHAR_BAND_RESTART"
#define VALUES 5
#define PROGRAM "/proc/self/exe"

static char **arguments;
static const host_line *open_line;
static const int *open_flash;

/* An exec'd process starts with the signals blocked that its predecessor died handling. */
static void unblock_signals(void) {
  sigset_t none;
  (void)sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static uint32_t random_id(void) {
  uint32_t id = (uint32_t)getpid();
  const int source = open("/dev/urandom", O_RDONLY);
  if (source >= 0) {
    if (read(source, &id, sizeof id) != (ssize_t)sizeof id) {
      id ^= (uint32_t)getpid();
    }
    (void)close(source);
  }
  return id;
}

bool host_restart_prepare(char **argv, host_line *line, int *flash, uint8_t *reason,
                          uint32_t *boot_id) {
  int why = THAR_RESET_REASON_POWER_ON;
  unblock_signals();
  arguments = argv;
  open_line = line;
  open_flash = flash;
  *boot_id = random_id();
  const char *left = getenv(VARIABLE);
  const bool again = left != NULL && sscanf(left, "%d,%d,%d,%d,%d", &why, &line->listener,
                                            &line->client, &line->keeper, flash) == VALUES;
  *reason = (uint8_t)why;
  (void)unsetenv(VARIABLE);
  return again;
}

/* Only calls that a signal handler may make: a crash ends here too. */
void host_restart(uint8_t reason) {
  extern char **environ;
  char note[96] = VARIABLE "=";
  char *at = note + strlen(note);
  const int values[VALUES] = {reason, open_line->listener, open_line->client, open_line->keeper,
                              *open_flash};
  for (size_t i = 0; i < VALUES; i++) {
    char digits[12];
    size_t count = 0;
    int value = values[i] < 0 ? -values[i] : values[i];
    do {
      digits[count++] = (char)('0' + value % 10);
      value /= 10;
    } while (value != 0);
    if (values[i] < 0) {
      digits[count++] = '-';
    }
    while (count > 0) {
      *at++ = digits[--count];
    }
    *at++ = i < VALUES - 1 ? ',' : '\0';
  }
  char *environment[256] = {note};
  for (size_t i = 0; environ[i] != NULL && i < 254; i++) {
    environment[i + 1] = environ[i];
  }
  (void)execve(PROGRAM, arguments, environment);
  (void)execve(arguments[0], arguments, environment); /* no /proc */
  _exit(70);
}
