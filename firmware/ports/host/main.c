/* The band as a POSIX process; `usage` below tells its options. */
#define _XOPEN_SOURCE 600
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host.h"
#include "tinyhar/band.h"

#define NANOSECONDS 1000000000u
#define EXIT_USAGE 2
#define READ_BYTES 4096

/* Two slots of a megabyte in pages as on an nRF52. */
#define FLASH_SHAPE {2097152, 4096, 4}

extern const uint8_t thar_bundle_start[];
extern const uint8_t thar_bundle_end[];

typedef struct {
  bool tcp;
  uint16_t port;
  const char *bundle;
  const char *flash;
  const char *sensor;
  host_flash_shape shape;
  host_flash_faults faults;
} options;

static host_line line = {-1, -1, -1};
static int kept_flash = -1;
static thar_port_info about = {.board = "host", .tick_hz = NANOSECONDS};

/* ---- what the core asks ---- */

const thar_port_info *thar_port_about(void) {
  return &about;
}

size_t thar_port_read(uint8_t *buffer, size_t capacity) {
  return host_line_read(&line, buffer, capacity);
}

void thar_port_write(const uint8_t *bytes, size_t size) {
  host_line_write(&line, bytes, size);
}

static uint64_t nanoseconds(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}

uint32_t thar_port_ticks(void) {
  return (uint32_t)nanoseconds();
}

uint32_t thar_port_milliseconds(void) {
  static uint64_t boot;
  const uint64_t now = nanoseconds();
  boot = boot != 0 ? boot : now;
  return (uint32_t)((now - boot) / 1000000u);
}

uint32_t thar_port_stack_used(void) {
  return 0;
}

void thar_port_reset(void) {
  host_restart(THAR_RESET_REASON_REQUESTED);
}

/* ---- signals ---- */

/* There is nothing to tidy up, and a flag could be slept through: the signal may come between a
 * look at it and the wait for bytes. */
static void on_stop(int signal_number) {
  (void)signal_number;
  _exit(EXIT_SUCCESS);
}

static void on_crash(int signal_number) {
  (void)signal_number;
  host_restart(THAR_RESET_REASON_FAULT);
}

static void handle(int signal_number, void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  (void)sigaction(signal_number, &action, NULL);
}

static void handle_signals(void) {
  handle(SIGPIPE, SIG_IGN);
  handle(SIGTERM, on_stop);
  handle(SIGINT, on_stop);
  handle(SIGSEGV, on_crash);
  handle(SIGBUS, on_crash);
  handle(SIGFPE, on_crash);
  handle(SIGILL, on_crash);
  handle(SIGABRT, on_crash);
}

/* ---- start ---- */

_Noreturn static void usage(const char *wrong, const char *value) {
  fprintf(stderr,
          "tinyhar-band: %s %s; usage: tinyhar-band [--pty | --tcp PORT] [--bundle FILE] "
          "[--flash FILE] [--flash-shape SIZE,PAGE,UNIT] [--cut-after N [--torn]] [--sensor FILE]\n",
          wrong, value);
  exit(EXIT_USAGE);
}

static uint16_t port_number(const char *text) {
  char *end;
  const long value = strtol(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value < 0 || value > 65535) {
    usage("no port number:", text);
  }
  return (uint16_t)value;
}

static void parse_shape(const char *text, host_flash_shape *shape) {
  unsigned size, page, unit;
  char more;
  if (sscanf(text, "%u,%u,%u%c", &size, &page, &unit, &more) != 3 || page == 0 || unit == 0) {
    usage("--flash-shape is SIZE,PAGE,UNIT, not", text);
  }
  shape->size = size;
  shape->page_bytes = page;
  shape->program_bytes = unit;
}

static long count(const char *text) {
  char *end;
  const long value = strtol(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value < 0) {
    usage("no count:", text);
  }
  return value;
}

static options parse(int argc, char **argv) {
  options o = {false, 0, NULL, NULL, NULL, FLASH_SHAPE, {-1, false}};
  for (int i = 1; i < argc; i++) {
    const bool has_value = i + 1 < argc;
    if (strcmp(argv[i], "--pty") == 0) {
      o.tcp = false;
    } else if (strcmp(argv[i], "--tcp") == 0 && has_value) {
      o.tcp = true;
      o.port = port_number(argv[++i]);
    } else if (strcmp(argv[i], "--bundle") == 0 && has_value) {
      o.bundle = argv[++i];
    } else if (strcmp(argv[i], "--flash") == 0 && has_value) {
      o.flash = argv[++i];
    } else if (strcmp(argv[i], "--sensor") == 0 && has_value) {
      o.sensor = argv[++i];
    } else if (strcmp(argv[i], "--flash-shape") == 0 && has_value) {
      parse_shape(argv[++i], &o.shape);
    } else if (strcmp(argv[i], "--cut-after") == 0 && has_value) {
      o.faults.cut_after = count(argv[++i]);
    } else if (strcmp(argv[i], "--torn") == 0) {
      o.faults.torn = true;
    } else {
      usage("unknown or incomplete option", argv[i]);
    }
  }
  return o;
}

/* Only read; what is wrong in it the core finds out. */
static void read_bundle(const char *path) {
  FILE *file = fopen(path, "rb");
  struct stat status;
  if (file == NULL || fstat(fileno(file), &status) != 0) {
    usage(strerror(errno), path);
  }
  const size_t size = (size_t)status.st_size;
  const size_t rounded = (size / THAR_BUNDLE_ALIGN + 1) * THAR_BUNDLE_ALIGN;
  uint8_t *bytes = aligned_alloc(THAR_BUNDLE_ALIGN, rounded);
  if (bytes == NULL || fread(bytes, 1, size, file) != size) {
    usage("cannot read", path);
  }
  (void)fclose(file);
  about.bundle = bytes;
  about.bundle_bytes = size;
}

static void open_flash(const options *o) {
  if (host_flash_open(o->flash, &o->shape, o->faults, &kept_flash)) {
    return;
  }
  usage(errno == EINVAL ? "not a flash of that shape (delete the file for a new one):"
                        : strerror(errno),
        o->flash != NULL ? o->flash : "flash");
}

/* A band without a usable model answers all the same, as a real one does; whoever started it here
 * must know. */
static void tell_model(const thar_model *model, const char *path) {
  if (model->problem != NULL) {
    fprintf(stderr, "tinyhar-band: no model: %s: %s%s%s; the band runs without\n",
            path != NULL ? path : "built in", model->problem, model->field != NULL ? ": " : "",
            model->field != NULL ? model->field : "");
  }
}

static void serve(const options *o, bool again) {
  static thar_band band;
  static _Alignas(16) uint8_t arena[THAR_ARENA_BYTES];
  uint8_t bytes[READ_BYTES];
  thar_band_init(&band, arena, sizeof arena);
  tell_model(&band.model, o->bundle);
  if (!again && !(o->tcp ? host_line_open_tcp(&line, o->port) : host_line_open_pty(&line))) {
    usage("cannot open the line:", strerror(errno));
  }
  thar_band_announce(&band);
  for (;;) {
    const int due = host_sensor_due(&band);
    if (due == 0) {
      host_sensor_deliver(&band);
    } else if (due < 0 || host_line_wait(&line, due)) {
      const size_t size = thar_port_read(bytes, sizeof bytes);
      thar_band_receive(&band, bytes, size);
    }
  }
}

int main(int argc, char **argv) {
  const options o = parse(argc, argv);
  const bool again =
      host_restart_prepare(argv, &line, &kept_flash, &about.reset_reason, &about.boot_id);
  handle_signals();
  about.bundle = thar_bundle_start;
  about.bundle_bytes = (size_t)(thar_bundle_end - thar_bundle_start);
  if (o.bundle != NULL) {
    read_bundle(o.bundle);
  }
  open_flash(&o);
  if (o.sensor != NULL && !host_sensor_open(o.sensor)) {
    usage(errno == EINVAL ? "no samples in" : strerror(errno), o.sensor);
  }
  (void)thar_port_milliseconds();
  serve(&o, again);
}
