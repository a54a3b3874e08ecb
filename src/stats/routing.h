#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "model/run.h"
#include "stats/difference.h"

namespace assay {

/// What a router adds to one metric of one (cell, prompt): warm or measured calls that were made in
/// turn directly and by it, the i-th with the i-th.
struct RoutingOverhead {
  std::string cell_id;  ///< Of the direct cell.
  std::string prompt_id;
  const Metric* metric = nullptr;  ///< ttft_ms or e2e_ms.
  double direct = 0;               ///< Median, ms.
  double routed = 0;
  double overhead = 0;  ///< routed - direct.
  /// Of the median of the pairs' differences, ms, from order statistics: from 6 pairs on.
  std::optional<Interval> ci95;
  /// routed against direct on the scale of ratios: from kMinForDifference pairs on.
  std::optional<Difference> difference;
  int64_t pairs = 0;
};

/// What routers add, from records that pass by: 32 bytes for a call of a cell with a route or of
/// the cell that it leads to, nothing for others.
class RoutedCalls {
 public:
  /// `meta` outlives it.
  explicit RoutedCalls(const RunMeta& meta);
  void add(const CallRecord& call);
  /// For each cell with a route and each prompt that both answered, ttft_ms and e2e_ms. Only pairs
  /// of which both calls were answered count.
  [[nodiscard]] std::vector<RoutingOverhead> overheads() const;

 private:
  using Key = std::tuple<std::string, std::string, Phase, std::string_view>;
  /// Of one (cell, prompt, phase, metric): run_idx and value, in ledger order.
  using Values = std::vector<std::pair<int64_t, double>>;
  [[nodiscard]] const Values& values_of(const Key& key) const;

  const RunMeta& meta_;
  std::set<std::string, std::less<>> cells_;
  std::map<Key, Values> values_;
};

}  // namespace assay
