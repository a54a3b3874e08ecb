#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "stats/summary.h"

namespace assay {

/// The gaps of a leg's calls in little room: exact up to kMaxExactGaps, above it counted in a
/// histogram whose steps are 1 %, so that memory stays bounded whatever a ledger holds.
class GapStore {
 public:
  /// One call's gaps, milliseconds that are whole microseconds. May be empty.
  void add(std::span<const double> ms);

  /// Percentiles come from the histogram: right to 1 %, without intervals of their own.
  [[nodiscard]] bool counted() const { return !histogram_.empty(); }

  /// As summarise_pooled() over the calls in this order, by their place among those added.
  [[nodiscard]] Summary summarise(std::span<const uint32_t> order) const;

  /// The sum and number of each call's gaps, in this order; calls without any are left out.
  [[nodiscard]] std::vector<derive::Ratio> parts(std::span<const uint32_t> order) const;

 private:
  void count(double ms);
  void start_counting();
  [[nodiscard]] std::vector<std::vector<double>> clusters() const;
  [[nodiscard]] double percentile(double share) const;

  std::string microseconds_;        ///< Varints, while gaps are kept.
  std::vector<uint32_t> numbers_;   ///< Gaps of each call.
  std::vector<double> sums_;        ///< Of each call, milliseconds.
  std::vector<int64_t> histogram_;  ///< By bucket; empty while gaps are kept.
  int64_t gaps_ = 0;
  double least_ = 0;
  double most_ = 0;
};
inline constexpr int64_t kMaxExactGaps = 1'000'000;

}  // namespace assay
