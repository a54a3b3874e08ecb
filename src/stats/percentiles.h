#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stats/interval.h"

namespace assay {

/// Type 7 (linear interpolation between order statistics), `share` in [0, 1]. `sorted` ascends.
/// Absent when empty.
std::optional<double> percentile(std::span<const double> sorted, double share);
std::optional<double> median(std::span<const double> values);

/// Values needed before the 95 % interval of a percentile can exist, from
/// share^n + (1 - share)^n <= 0.05: 6, 29, 59 and 299 for p50, p90, p95 and p99.
int64_t needed_for_percentile(double share);

/// The 95 % interval of a percentile from order statistics, whatever the values' distribution: rank
/// r lies below the percentile with probability I_share(r, n + 1 - r), and interpolation between
/// ranks makes it 95 % (Hettmansperger and Sheather, Stat. Probab. Lett. 4, 1986, for the median;
/// Nyblom, ibid. 14, 1992). 2.5 % are left out at each end, less at one end where the other cannot
/// have so little. `effective_n` is as how many independent values `sorted` counts, at most its
/// size; ranks are scaled to it (Korn and Graubard, Surv. Methodol. 24, 1998). Absent when it is
/// below what the percentile needs.
std::optional<Interval> percentile_interval(std::span<const double> sorted, double share,
                                            double effective_n);
std::optional<Interval> percentile_interval(std::span<const double> sorted, double share);

/// As how many independent values those of `clusters` count for the percentile `share`, which lies
/// at `value`: share (1 - share) / V, with V the variance over clusters of the share of values up
/// to `value` (a ratio of sums), reduced by the squared ratio of t quantiles for having estimated V
/// from so few clusters (Korn and Graubard). At most the number of values; 0 below two clusters.
double clustered_count(std::span<const std::vector<double>> clusters, double share, double value);

}  // namespace assay
