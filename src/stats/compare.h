#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/run.h"
#include "stats/difference.h"
#include "stats/legs.h"

namespace assay {

/// A metric that tells a user's speed apart.
struct JudgedMetric {
  std::string_view metric;
  bool by_prefix = false;  ///< Fresh and reused prompts are different questions.
  bool gate = false;       ///< Takes part in the exit code.
  /// Judged only where that metric gives no row: a run of engine figures has no client's speed.
  std::string_view stands_in_for = {};
};
/// In the order of reports.
std::span<const JudgedMetric> judged_metrics();

/// One side of a comparison.
struct ComparedRun {
  const RunMeta* meta = nullptr;
  const std::vector<LegResult>* legs = nullptr;
};

/// One prompt at one concurrency and prefix state, for one metric: what a row is made of.
struct ComparedStratum {
  std::string prompt_id;
  double base = 0;  ///< Geometric mean over calls, in the metric's unit.
  double now = 0;
  std::optional<LogMean> base_mean, now_mean;  ///< Absent below kMinForDifference units.
  Difference difference;
};

/// One metric of a pair of cells.
struct ComparedMetric {
  const Metric* metric = nullptr;
  std::optional<Prefix> prefix;  ///< For TTFT and prefill: fresh and reused are rows of their own.
  int64_t concurrency = 1;
  bool gate = false;  ///< Takes part in the exit code.
  double base = 0;    ///< Geometric mean, prompts weighing alike: base * (1 + change) = now.
  double now = 0;
  std::optional<Interval> base_ci95, now_ci95;  ///< Of each side alone; absent as `difference` is.
  std::optional<Difference> difference;         ///< Absent with fewer than kMinForDifference units.
  Verdict verdict = Verdict::kUnclear;
  std::optional<int64_t> more;   ///< more_repetitions() of an unclear difference.
  double detectable = 0;         ///< detectable_change(); 0 without a difference.
  std::optional<double> holm_p;  ///< Of gate metrics, over all gate metrics of the comparison.
  std::optional<double> noise_floor;
  std::vector<ComparedStratum> strata;
  std::vector<std::string> base_marks, new_marks;  ///< Codes of the marks of each side's legs.
};

/// A gate metric that is worse, with a Holm-adjusted p of at most 5 %.
bool is_regression(const ComparedMetric& row);

/// Share of planned, not skipped calls that ended well.
struct SuccessRate {
  int64_t ok = 0;
  int64_t n = 0;  ///< ok and failed.
  [[nodiscard]] std::optional<double> share() const;
};

/// Two cells that are the same thing measured twice, or the one cell of each run.
struct ComparedCell {
  std::string base_id;  ///< Empty where only the other run has it.
  std::string new_id;
  std::string not_comparable;  ///< Why there is no row; empty when there is.
  bool by_restart = false;   ///< The unit is a restart of the engine; else a call: within-run only.
  bool interleaved = false;  ///< Variants of one run: repetitions were paired.
  bool shared_load = false;  ///< Both variants are the same loaded model, asked differently.
  bool imported = false;     ///< Another tool measured at least one side.
  SuccessRate base_success, new_success;
  std::vector<ComparedMetric> metrics;
  std::vector<std::string> warnings;
};

/// Something that both runs state, and state differently.
struct SettingChange {
  std::string name;
  std::string base;
  std::string now;
};

struct RunComparison {
  std::vector<std::string> same;  ///< What the runs share, for people: `suite speed`, `host x`.
  std::vector<SettingChange> differs;
  std::vector<ComparedCell> cells;

  [[nodiscard]] int64_t count(Verdict verdict) const;
  [[nodiscard]] bool empty() const;      ///< No cell has a row.
  [[nodiscard]] bool regressed() const;  ///< Any is_regression().
};

struct CompareOptions {
  double tolerance = 0.03;
  /// The stored noise floor of a metric of a cell on this machine, if any.
  std::function<std::optional<double>(std::string_view cell_id, std::string_view metric)> floor;
};

/// Compares cells by id; where each run has one cell, these two whatever they are called. Only
/// prompts that both asked are compared, each within itself; prefix states never meet. Cold and
/// warm-up calls are left out.
RunComparison compare_runs(const ComparedRun& base, const ComparedRun& now,
                           const CompareOptions& options);

/// The variants of one interleaved run, each against the first: repetitions are paired, since each
/// pair was measured side by side. Cells without a variant are left out.
RunComparison compare_variants(const ComparedRun& run, const CompareOptions& options);

}  // namespace assay
