#pragma once

#include "base/error.h"

namespace assay {

/// What `assay` ends with. `assay help exit-codes` prints this list.
namespace exit_code {
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kRegression = 3;
inline constexpr int kRefused = 4;      ///< Refused before measuring, or another run measures.
inline constexpr int kUnreachable = 5;  ///< No target can be reached.
inline constexpr int kFailedCalls = 6;
inline constexpr int kStopped = 7;  ///< By --max-temp or --max-power.
inline constexpr int kInterrupted = 130;
inline constexpr int kTerminated = 143;
}  // namespace exit_code

inline int exit_code_of(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument:
    case Errc::kNotFound:
      return exit_code::kUsage;
    case Errc::kConflict:
      return exit_code::kRefused;
    case Errc::kUnavailable:
      return exit_code::kUnreachable;
    case Errc::kCancelled:
      return exit_code::kInterrupted;
    default:
      return exit_code::kFailed;
  }
}

}  // namespace assay
