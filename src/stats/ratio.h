#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stats/derive.h"
#include "stats/interval.h"

namespace assay {

/// The ratio of sums. Absent when the denominators add up to nothing.
std::optional<double> ratio_of_sums(std::span<const derive::Ratio> parts);

/// ratio ± t(n - 1) * sqrt((n - 1) / n * sum (r_i - mean r)^2), with r_i the ratio without part i
/// (jackknife; Efron and Stein, Ann. Stat. 9, 1981). Absent below two parts, and when a part holds
/// all of the denominator.
std::optional<Interval> jackknife_interval(std::span<const derive::Ratio> parts);

/// Studentised bootstrap over parts (bootstrap-t; Efron and Tibshirani, 1993, chapter 12): with the
/// linearised standard error s of the ratio R, [R - q(97.5 %) s, R - q(2.5 %) s], q the quantiles
/// of (R* - R) / s* over kBootstraps resamples. The plain percentile bootstrap covers too little.
/// The same parts and seed give the same interval. Absent below kMinBootstrapParts.
std::optional<Interval> bootstrap_interval(std::span<const derive::Ratio> parts, uint64_t seed);
inline constexpr int64_t kMinBootstrapParts = 20;
inline constexpr int kBootstraps = 999;

/// A rate measured over restarts of the engine, the calls of each in one element: what the calls of
/// one restart share is not noise, so the restart is the unit. Bootstrap over restarts from
/// kMinBootstrapParts on; jackknife over restarts below, since few restarts have too few distinct
/// resamples (three of them: ten). Absent below kMinRestarts.
std::optional<Interval> restart_interval(std::span<const std::vector<derive::Ratio>> restarts,
                                         uint64_t seed);
inline constexpr int64_t kMinRestarts = 3;

}  // namespace assay
