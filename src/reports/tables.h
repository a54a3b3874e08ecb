#pragma once

#include <string>
#include <vector>

#include "reports/document.h"

namespace assay {

/// Blocks and what has to be said about them.
struct Section {
  std::vector<Block> blocks;
  std::vector<std::string> warnings;
};

/// Suite `speed`: one row per cell, best first, then what the engines say themselves.
Section speed_section(const ReportModel& model);

/// Several cells of another suite: one comparison, best first. TTFT is that of one prefix state,
/// the one most cells have: fresh and reused never meet in a column.
Section comparison_section(const ReportModel& model);

/// One cell: a table per leg with mean and percentiles, and a histogram of TTFT from
/// kMinForHistogram calls on. Below 6 calls all values stand in place of percentiles.
Section legs_section(const ReportModel& model);
inline constexpr size_t kMinForHistogram = 20;

/// How sure the counts are that a figure rests on.
enum class Counts : uint8_t { kExact, kEstimated };

/// `32.4 ± 0.2`, without `±` when there is no interval; `-` without a mean; `~32.4` where output
/// tokens were estimated. Of an interval that is not even the wider side counts.
std::string with_interval(const Metric& metric, std::optional<double> mean,
                          const std::optional<Interval>& ci95, Counts counts = Counts::kExact);

/// `-0.3 %`, `+1.2 %`, `0.0 %`; `-` when absent.
std::string percent_text(std::optional<double> share);

/// Labels for the cells in tables: the model, with the engine kind where models repeat, else the
/// id.
std::vector<std::string> cell_labels(const RunMeta& meta);

}  // namespace assay
