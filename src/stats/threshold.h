#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "stats/legs.h"

namespace assay {

/// `ttft_ms.p50<300`, `decode_tps.mean>=20`, `success_rate>=0.95`.
struct Threshold {
  enum class Is : uint8_t { kBelow, kAtMost, kAbove, kAtLeast };
  std::string text;    ///< As it was written.
  std::string metric;  ///< A metric's name, or `success_rate`.
  std::string figure;  ///< mean, p50, p90, p95, p99, min or max; empty for success_rate.
  Is is = Is::kBelow;
  double limit = 0;
};

/// kInvalidArgument names what is wrong with it, and what there is instead.
Result<Threshold> parse_threshold(std::string_view text);

/// A leg that does not keep it; or, without `value` and prompt, a cell that has no such figure.
struct Miss {
  std::string cell_id;
  std::string prompt_id;
  std::optional<double> value;
};

/// Looks at every warm and measured leg that was not skipped. A leg without the figure is passed
/// over where another leg of its cell has it: a prompt that is only read has no decode speed.
std::vector<Miss> check_threshold(const Threshold& threshold, std::span<const LegResult> legs);

}  // namespace assay
