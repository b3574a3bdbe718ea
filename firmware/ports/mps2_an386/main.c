/* Arm MPS2 AN386, on the board or in QEMU. */
#include "board.h"
#include "tinyhar/band.h"
#include "tinyhar/port.h"

/* Under QEMU's -icount shift=0 an instruction takes 1 ns, and a tick of 25 MHz is 40 of them. */
#define INSTRUCTIONS_PER_TICK 40u
#define PAINT 0xA5A5A5A5u
#define NOTE_MAGIC 0x52414254u

/* An emulator that gives its console as the line leaves this word in the note at every reset. It
 * looks for the word in the image first, to know that it may: volatile keeps it there. */
#define LINE_BYTES 8
static const volatile uint8_t console[LINE_BYTES] = {'s', 'e', 'm', 'i', 'h', 'o', 's', 't'};

/* What one boot leaves for the next, at the end of RAM. After power-on it holds anything. */
typedef struct {
  uint32_t magic;
  uint32_t reason;
  uint32_t boots;
  uint32_t check;
  uint8_t line[LINE_BYTES];
} boot_note;

extern volatile boot_note thar_noinit;
extern uint8_t thar_ram_bytes[], thar_flash_bytes[]; /* their addresses are the numbers */
extern uint32_t thar_stack_start[], thar_stack_end[];
extern const uint8_t thar_bundle_start[], thar_bundle_end[];

static thar_port_info about = {
    .board = "mps2_an386",
    .instructions_per_tick = INSTRUCTIONS_PER_TICK,
    .tick_hz = BOARD_CLOCK_HZ,
};

static uint32_t check_of(uint32_t reason, uint32_t boots) {
  return ~(NOTE_MAGIC ^ (reason << 24) ^ boots);
}

_Noreturn void board_restart(uint8_t reason) {
  irq_off();
  thar_noinit.reason = reason;
  thar_noinit.check = check_of(reason, thar_noinit.boots);
  __asm__ volatile("dsb" ::: "memory");
  SCB_AIRCR = SCB_AIRCR_RESET;
  for (;;) {
  }
}

/* boot_id counts boots since power-on: this board has nothing random to start from. A restart that
 * left no reason (a lock-up, the reset button) is of unknown kind. */
static void read_note(void) {
  volatile boot_note *note = &thar_noinit;
  const uint32_t reason = note->reason, boots = note->boots;
  if (note->magic == NOTE_MAGIC && note->check == check_of(reason, boots)) {
    about.reset_reason = (uint8_t)reason;
    about.boot_id = boots + 1;
  } else {
    about.reset_reason = THAR_RESET_REASON_POWER_ON;
    about.boot_id = 1;
  }
  note->magic = NOTE_MAGIC;
  note->boots = about.boot_id;
  note->reason = THAR_RESET_REASON_UNKNOWN;
  note->check = check_of(THAR_RESET_REASON_UNKNOWN, about.boot_id);
}

const thar_port_info *thar_port_about(void) {
  return &about;
}

uint32_t thar_port_stack_used(void) {
  const uint32_t *word = thar_stack_start;
  while (word < thar_stack_end && *word == PAINT) {
    word++;
  }
  return (uint32_t)(thar_stack_end - word) * sizeof *word;
}

void thar_port_reset(void) {
  board_restart(THAR_RESET_REASON_REQUESTED);
}

static bool by_console;

static bool is_console_given(void) {
  for (size_t i = 0; i < LINE_BYTES; i++) {
    if (thar_noinit.line[i] != console[i]) {
      return false;
    }
  }
  return true;
}

size_t thar_port_read(uint8_t *buffer, size_t capacity) {
  return by_console ? console_read(buffer, capacity) : uart_read(buffer, capacity);
}

void thar_port_write(const uint8_t *bytes, size_t size) {
  if (by_console) {
    console_write(bytes, size);
  } else {
    uart_write(bytes, size);
  }
}

int main(void) {
  read_note();
  by_console = is_console_given();
  about.bundle = thar_bundle_start;
  about.bundle_bytes = (size_t)(thar_bundle_end - thar_bundle_start);
  about.ram_bytes = (uint32_t)(uintptr_t)thar_ram_bytes;
  about.flash_bytes = (uint32_t)(uintptr_t)thar_flash_bytes;
  clock_init();
  uart_init();
  thar_band_run();
}
