#pragma once

#include <string>
#include <vector>

#include "reports/document.h"

namespace assay {

/// Blocks and what has to be said about them.
struct Section {
  std::vector<Block> blocks;
  std::vector<std::string> warnings;
  std::vector<std::string> notes;
};

/// Suite `speed`: one row per cell, in the order of ranked(), then what the engines say themselves.
Section speed_section(const ReportModel& model);

/// Several cells of another suite: one comparison, in the same order. TTFT is that of one prefix
/// state, the one most cells have: fresh and reused never meet in a column.
Section comparison_section(const ReportModel& model);

/// Whether a row per cell says more than tables of legs: several cells, and some has a speed that
/// the client measured.
bool has_cell_table(const ReportModel& model);

/// One cell: a table per leg with mean and percentiles, and a histogram of TTFT from
/// kMinForHistogram calls on. Below 6 calls all values stand in place of percentiles.
Section legs_section(const ReportModel& model);
inline constexpr size_t kMinForHistogram = 20;

/// What legs_section has of one leg. No blocks when nothing of it was recorded.
Section leg_section(const LegResult& leg);

/// The distribution of a metric over a leg's calls in at most 12 bars, with the percentiles that
/// lie in them. No bars when all values are the same or there are none.
Histogram value_histogram(const MetricResult& result);

/// A median of `calls` values: `~` and faint where its own interval cannot exist.
TableCell median_cell(std::optional<double> value, int64_t calls);

/// Why Summary::no_ci95, in words for people.
std::string_view no_interval_text(std::string_view no_ci95);

/// Cells with the fastest generation first; those without one keep the plan's order at the end.
std::vector<const CellSummary*> best_first(const ReportModel& model);

/// The prefix state in which most cells have a TTFT; fresh before unknown before reused.
Prefix common_prefix(const ReportModel& model);

/// What to say of a cell without any ok call.
std::string nothing_measured(const CellSummary& cell);

/// The leg's place in the plan and what became of its calls.
std::string leg_title(const LegResult& leg);

/// How sure the counts are that a figure rests on.
enum class Counts : uint8_t { kExact, kEstimated };

/// `32.4 ± 0.2`, without `±` when there is no interval; `-` without a mean; `~32.4` where output
/// tokens were estimated. Of an interval that is not even the wider side counts.
std::string with_interval(const Metric& metric, std::optional<double> mean,
                          const std::optional<Interval>& ci95, Counts counts = Counts::kExact);

/// `240.1 … 247.3` in the metric's unit; `-` when absent.
std::string range_text(const Metric& metric, const std::optional<Interval>& interval);

/// `-0.3 %`, `+1.2 %`, `0.0 %`; `-` when absent.
std::string percent_text(std::optional<double> share);

/// Labels for the cells in tables: a variant's name, else the model, with the engine kind where
/// models repeat, else the id.
std::vector<std::string> cell_labels(const RunMeta& meta);

}  // namespace assay
