#pragma once

namespace assay {

/// A closed interval; 95 % confidence unless said otherwise.
struct Interval {
  double low = 0;
  double high = 0;
};
inline constexpr double kConfidence = 0.95;

}  // namespace assay
