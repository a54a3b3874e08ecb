#pragma once

#include <cstdio>
#include <cstdlib>

/// Stops the program when something that only a bug in Assay can break does not hold. Never
/// reachable from user input.
#define ASSAY_CHECK(condition)                                                           \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
