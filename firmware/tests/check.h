/* A test is a function that CHECKs; RUN counts; main returns what failed. */
#ifndef TINYHAR_TESTS_CHECK_H
#define TINYHAR_TESTS_CHECK_H

#include <stdio.h>

static int checks_failed;

#define CHECK(condition)                                                   \
  do {                                                                     \
    if (!(condition)) {                                                    \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);      \
      checks_failed++;                                                     \
    }                                                                      \
  } while (0)

#define CHECK_EQUAL(got, expected)                                                           \
  do {                                                                                       \
    const long long got_ = (long long)(got), expected_ = (long long)(expected);              \
    if (got_ != expected_) {                                                                 \
      fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #got, got_,       \
              expected_);                                                                    \
      checks_failed++;                                                                       \
    }                                                                                        \
  } while (0)

#define RUN(test) (fprintf(stderr, "  %s\n", #test), test())

#endif
