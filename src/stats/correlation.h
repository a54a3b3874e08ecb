#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace assay {

/// Correlation of each value with the next. Absent below 3 values or without spread.
std::optional<double> lag1_correlation(std::span<const double> values);

/// The lag-1 correlation of the process behind `values`: (n r + 1) / (n - 3). In short series the
/// plain estimate is too low by about (1 + 3 rho) / n (Marriott and Pope, Biometrika 41, 1954). At
/// least 0 and at most kMaxCorrelation; 0 where nothing is known.
double autocorrelation(std::span<const double> values);
/// As high as a factor can still be made of it; a series that reaches it has no mean to speak of.
inline constexpr double kMaxCorrelation = 0.9;

/// How much larger the deviation of a mean is than that of as many independent values, were `a`
/// known: sqrt((1 + a) / (1 - a)), as of a first order autoregression (Zwiers and von Storch, J.
/// Climate 8, 1995). `a` in [0, kMaxCorrelation].
double known_widening(double a);

/// How much longer the interval of a mean has to be: ((1 + a) / (1 - a))^e, e = min(1, 1/2 + 8/n).
/// What it exceeds known_widening() by pays for `a` being an estimate, and was set by simulation
/// (docs/statistics.md).
double widening(double a, int64_t n);

/// As how many independent values `n` of them count: n / widening^2, at least 1.
double effective_count(double a, int64_t n);

}  // namespace assay
