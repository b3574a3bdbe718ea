/* Runs a fuzz target on files, for compilers without libFuzzer: fuzz_NAME FILE... */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* On the heap and to the byte, so that a sanitizer sees the first one too many. */
static int replay(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
    perror(path);
    return 2;
  }
  const long size = ftell(file);
  uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1);
  rewind(file);
  if (size < 0 || bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
    perror(path);
    return 2;
  }
  (void)fclose(file);
  (void)LLVMFuzzerTestOneInput(bytes, (size_t)size);
  free(bytes);
  return 0;
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (replay(argv[i]) != 0) {
      return 2;
    }
  }
  printf("%d inputs\n", argc - 1);
  return 0;
}
