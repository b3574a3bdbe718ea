#define _XOPEN_SOURCE 600
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "host.h"

/* A real band's line takes bytes whether anybody listens or not; here a client that stopped reading
 * is given this long before what it does not take is lost. */
#define WRITE_PATIENCE_MS 2000

static bool make_raw(int terminal) {
  struct termios settings;
  if (tcgetattr(terminal, &settings) != 0) {
    return false;
  }
  settings.c_iflag = 0;
  settings.c_oflag = 0;
  settings.c_lflag = 0;
  settings.c_cflag = (settings.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8 | CREAD | CLOCAL;
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  return tcsetattr(terminal, TCSANOW, &settings) == 0;
}

bool host_line_open_pty(host_line *line) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
    return false;
  }
  const char *name = ptsname(master);
  const int slave = name != NULL ? open(name, O_RDWR | O_NOCTTY) : -1;
  if (slave < 0 || !make_raw(slave)) {
    return false;
  }
  *line = (host_line){.listener = -1, .client = master, .keeper = slave};
  printf("listening %s\n", name);
  return fflush(stdout) == 0;
}

bool host_line_open_tcp(host_line *line, uint16_t port) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  socklen_t size = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
      listen(listener, 4) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
    return false;
  }
  *line = (host_line){.listener = listener, .client = -1, .keeper = -1};
  printf("listening socket://127.0.0.1:%u\n", (unsigned)ntohs(address.sin_port));
  return fflush(stdout) == 0;
}

/* Gives a new conversation its first byte: a 0x00 ends what the last client left open. */
static size_t wait_for_client(host_line *line, uint8_t *buffer) {
  const int yes = 1;
  const int client = accept(line->listener, NULL, NULL);
  if (client < 0) {
    return 0;
  }
  (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  line->client = client;
  buffer[0] = 0;
  return 1;
}

static void lose_client(host_line *line) {
  if (line->listener >= 0) {
    (void)close(line->client);
    line->client = -1;
  }
}

bool host_line_wait(const host_line *line, int milliseconds) {
  struct pollfd wait = {.fd = line->client >= 0 ? line->client : line->listener, .events = POLLIN};
  return poll(&wait, 1, milliseconds) > 0;
}

size_t host_line_read(host_line *line, uint8_t *buffer, size_t capacity) {
  if (line->client < 0) {
    return wait_for_client(line, buffer);
  }
  const ssize_t got = read(line->client, buffer, capacity);
  if (got > 0) {
    return (size_t)got;
  }
  if (got == 0 || errno != EINTR) {
    lose_client(line);
  }
  return 0;
}

static bool can_write(int fd) {
  struct pollfd wait = {.fd = fd, .events = POLLOUT};
  return poll(&wait, 1, WRITE_PATIENCE_MS) == 1 && (wait.revents & POLLOUT) != 0;
}

void host_line_write(host_line *line, const uint8_t *bytes, size_t size) {
  while (size > 0 && line->client >= 0 && can_write(line->client)) {
    const ssize_t put = write(line->client, bytes, size);
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put < 0) {
      return; /* the next read notices why */
    }
    bytes += put;
    size -= (size_t)put;
  }
}
