#pragma once

#include <optional>
#include <span>

namespace assay {

/// A value, or that it lies above one.
struct Censored {
  double value = 0;
  bool censored = false;  ///< It is more than `value`; how much more nobody saw.
};

/// Percentile `share` in [0, 1] (type 7) over calls that answered, `answered`, and calls that
/// failed. Of a failed call nothing is known but that it had no answer by its limit, the time it
/// was given or took. It would be too kind to give it the rank of that time: a connection refused
/// at once would count as a fast call. So failed calls rank above all that answered, in the order
/// of their limits, each at its limit or the slowest answer, whichever is more; a percentile that
/// falls among them or next to them is censored. Absent without any call.
std::optional<Censored> censored_percentile(std::span<const double> answered,
                                            std::span<const double> limits, double share);

struct CensoredPercentiles {
  std::optional<Censored> p50, p90, p95, p99;
};
CensoredPercentiles censored_percentiles(std::span<const double> answered,
                                         std::span<const double> limits);

}  // namespace assay
