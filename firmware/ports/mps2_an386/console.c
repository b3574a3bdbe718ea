/* The emulator's console as the line, by semihosting ("Semihosting for AArch32 and AArch64",
 * operations WRITEC and READC). QEMU hands a UART one byte each time its main loop comes round, and
 * a window has 1.5 kB; its console takes a kilobyte at once, and no byte interrupts an inference.
 * It needs -icount: only there does QEMU look for more input when the band has read all and waits.
 */
#include "board.h"

/* Waits for a byte. From 7.1 on QEMU puts it below the stack pointer and answers with what was
 * there before; earlier ones answer with the byte and put nothing. With a zero there before, the
 * byte is whichever of the two is not zero. The stack pointer is kept off a multiple of 8, so that
 * an interrupt's frame leaves a gap where the byte is (ARMv7-M ARM, B1.5.7). */
__attribute__((naked)) static uint32_t read_byte(void) {
  __asm__ volatile(
      "sub sp, #4\n\t"
      "movs r1, #0\n\t"
      "strb r1, [sp, #-1]\n\t"
      "movs r0, #0x07\n\t"
      "bkpt 0xAB\n\t"
      "ldrb r1, [sp, #-1]\n\t"
      "orr r0, r0, r1\n\t"
      "add sp, #4\n\t"
      "bx lr");
}

size_t console_read(uint8_t *buffer, size_t capacity) {
  if (capacity == 0) {
    return 0;
  }
  buffer[0] = (uint8_t)read_byte();
  return 1;
}

void console_write(const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    register uint32_t operation __asm__("r0") = 0x03;
    register const uint8_t *byte __asm__("r1") = bytes + i;
    __asm__ volatile("bkpt 0xAB" : "+r"(operation) : "r"(byte) : "memory");
  }
}
