/* Flash as a file, as strict as NOR: a page is erased at once, a unit is programmed once after that,
 * and what hardware would refuse is refused. Without a file of the user's it is one without a name,
 * which lives as long as the process does, restarts included. */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

#define BLANK 0xFF
#define EXIT_CUT 75
#define MOST_PAGE 65536

static thar_port_flash_info about;
static int file = -1;
static host_flash_faults faults;
static uint32_t operations;

const thar_port_flash_info *thar_port_flash_about(void) {
  return about.bytes != NULL ? &about : NULL;
}

/* ---- opening ---- */

static bool fill(int fd, uint32_t size) {
  uint8_t page[4096];
  memset(page, BLANK, sizeof page);
  for (uint32_t at = 0; at < size;) {
    const size_t part = size - at < sizeof page ? size - at : sizeof page;
    const ssize_t put = pwrite(fd, page, part, (off_t)at);
    if (put <= 0) {
      errno = put == 0 ? ENOSPC : errno;
      return false;
    }
    at += (uint32_t)put;
  }
  return true;
}

static bool is_made_of_pages(const host_flash_shape *shape) {
  return shape->page_bytes != 0 && shape->page_bytes <= MOST_PAGE &&
         shape->size % shape->page_bytes == 0;
}

/* A new file is filled, and so has all its disk before anything depends on it. */
static int open_named(const char *path, uint32_t size) {
  struct stat status;
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0 || fstat(fd, &status) != 0) {
    return -1;
  }
  if (status.st_size == 0 && !fill(fd, size)) {
    const int why = errno;
    (void)ftruncate(fd, 0);
    errno = why;
    return -1;
  }
  if (status.st_size != 0 && status.st_size != (off_t)size) {
    errno = EINVAL; /* another shape, or no flash at all */
    return -1;
  }
  return fd;
}

static int open_nameless(uint32_t size) {
  FILE *nameless = tmpfile();
  const int fd = nameless != NULL ? dup(fileno(nameless)) : -1;
  if (nameless != NULL) {
    (void)fclose(nameless);
  }
  return fd >= 0 && fill(fd, size) ? fd : -1;
}

bool host_flash_open(const char *path, const host_flash_shape *shape, host_flash_faults wanted,
                     int *kept) {
  if (!is_made_of_pages(shape)) {
    errno = EINVAL;
    return false;
  }
  if (path != NULL) {
    file = open_named(path, shape->size);
  } else {
    file = *kept >= 0 ? *kept : open_nameless(shape->size);
    *kept = file;
  }
  if (file < 0) {
    return false;
  }
  void *bytes = mmap(NULL, shape->size, PROT_READ, MAP_SHARED, file, 0);
  if (bytes == MAP_FAILED) {
    return false;
  }
  about.size = shape->size;
  about.page_bytes = shape->page_bytes;
  about.program_bytes = shape->program_bytes;
  about.bytes = bytes;
  faults = wanted;
  return true;
}

/* ---- faults ---- */

static bool is_due(void) {
  return faults.cut_after >= 0 && operations++ >= (uint32_t)faults.cut_after;
}

_Noreturn static void cut_power(void) {
  fprintf(stderr, "tinyhar-band: power cut at flash operation %u\n", (unsigned)operations);
  _exit(EXIT_CUT);
}

static bool put(uint32_t at, const uint8_t *bytes, uint32_t size) {
  return pwrite(file, bytes, size, (off_t)at) == (ssize_t)size;
}

/* Half of what it was to do, and in the byte between the halves some bits. */
static void tear(uint32_t at, const uint8_t *wanted, uint32_t size) {
  const uint32_t half = size / 2;
  const uint8_t between = (uint8_t)((wanted[half] & 0x55) | (about.bytes[at + half] & 0xAA));
  (void)put(at, wanted, half);
  (void)put(at + half, &between, 1);
}

static bool change(uint32_t at, const uint8_t *wanted, uint32_t size) {
  if (is_due()) {
    if (faults.torn) {
      tear(at, wanted, size);
    }
    cut_power();
  }
  return put(at, wanted, size);
}

/* ---- what the core asks ---- */

bool thar_port_flash_erase(uint32_t at) {
  uint8_t page[MOST_PAGE];
  if (at % about.page_bytes != 0 || at >= about.size) {
    fprintf(stderr, "tinyhar-band: flash: erase at %u is no page\n", (unsigned)at);
    return false;
  }
  memset(page, BLANK, about.page_bytes);
  return change(at, page, about.page_bytes);
}

bool thar_port_flash_program(uint32_t at, const uint8_t *bytes, uint32_t size) {
  const uint32_t unit = about.program_bytes;
  if (at % unit != 0 || size % unit != 0 || size > about.size || at > about.size - size) {
    fprintf(stderr, "tinyhar-band: flash: program of %u at %u is not in units of %u\n",
            (unsigned)size, (unsigned)at, (unsigned)unit);
    return false;
  }
  for (uint32_t i = 0; i < size; i++) {
    if (about.bytes[at + i] != BLANK) {
      fprintf(stderr, "tinyhar-band: flash: program at %u without an erase\n", (unsigned)(at + i));
      return false;
    }
  }
  return size == 0 || change(at, bytes, size);
}
