/* A whole band that hears these very bytes. */
#include "fuzz_port.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_fresh_and_booted();
  if (!fuzz_receive(data, size)) {
    fuzz_expect(fuzz_boot(THAR_RESET_REASON_REQUESTED));
  }
  fuzz_expect_alive();
  fuzz_expect(fuzz_band()->model.problem == NULL);
  return 0;
}
