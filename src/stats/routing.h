#pragma once

#include <optional>
#include <span>
#include <string>
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

/// For each cell with a route and each prompt that both answered, ttft_ms and e2e_ms. Only pairs of
/// which both calls were answered count.
std::vector<RoutingOverhead> routing_overhead(const RunMeta& meta,
                                              std::span<const CallRecord> calls);

}  // namespace assay
