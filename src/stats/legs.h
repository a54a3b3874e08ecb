#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/run.h"
#include "stats/censored.h"
#include "stats/interval.h"
#include "stats/leg_telemetry.h"
#include "stats/metrics.h"
#include "stats/stationarity.h"
#include "stats/summary.h"

namespace assay {

/// One metric over the ok calls of a leg.
struct MetricResult {
  const Metric* metric = nullptr;
  Summary summary;
  std::vector<double> values;     ///< One per call that has one, in the order they were sent.
  std::vector<int64_t> restarts;  ///< CallRecord::restart of each value; empty: all are 0.
  /// CallRecord::run_idx of each value: one list for all metrics that every call has.
  std::shared_ptr<const std::vector<int64_t>> run_idx;
  bool counted = false;  ///< Percentiles are from a histogram: see stats/gap_store.h.
};

/// Calls of a leg that gave no figure, for one reason.
struct Trouble {
  Outcome outcome = Outcome::kError;
  std::string reason;  ///< As in the records; empty when they state none.
  int64_t calls = 0;
};
inline constexpr size_t kMaxTroubleKinds = 1000;  ///< Of a leg; the others become one.

/// Percentiles over all calls that were sent, those that failed among them as calls without an
/// answer: leaving them out flatters the tail.
struct AllCalls {
  // Absent where calls answered and none of them tells the latency.
  CensoredPercentiles ttft_ms;  ///< A failed call that had its first text counts with it.
  CensoredPercentiles e2e_ms;
};

/// A stretch of a leg that goes on for a time.
struct SustainedWindow {
  Span span;
  std::optional<double> tps;  ///< Output tokens a second of all calls together.
};

/// How the last minute of such a leg compares with its first.
struct Sustained {
  std::string_view missing;  ///< `resumed`, `no_token_count`, `no_tokens`, `too_short`; else empty.
  double seconds = 0;        ///< How long it went on, from the first call sent to the last done.
  double window_s = 0;       ///< Of each window.
  SustainedWindow first;
  SustainedWindow last;
  std::optional<double> ratio;  ///< last / first
  std::optional<Interval> ratio_ci95;
  /// The processor and the cards that tell, first against last window. The one whose clock fell
  /// most comes first.
  std::vector<DeviceCourse> devices;
};

/// Something that holds of a leg and has to stand beside its figures.
struct LegMark {
  std::string_view code;  ///< One of those that mark_legs() names.
  std::string detail;     ///< For people, without the code.
};

/// A result leg: the calls of one planned leg whose prefix state is the same. TTFT and prefill of
/// fresh and reused prompts are never pooled.
struct LegResult {
  int64_t leg = -1;   ///< Index into RunMeta::legs; -1 for records of no planned leg.
  int64_t cell = -1;  ///< Index into RunMeta::cells; -1 when the plan does not know it.
  std::string cell_id;
  std::string prompt_id;
  Phase phase = Phase::kMeasure;
  int64_t concurrency = 1;
  Prefix prefix = Prefix::kUnknown;
  int64_t n = 0;  ///< ok + failed + skipped: planned calls with a final record.
  int64_t ok = 0;
  int64_t failed = 0;  ///< Errors, timeouts and cancelled calls: in no mean.
  int64_t skipped = 0;
  int64_t attempts = 0;                 ///< Sent, those that were tried again included.
  int64_t empty = 0;                    ///< Within ok: no visible text.
  int64_t length = 0;                   ///< Within ok: ended at a limit that was not asked for.
  bool estimated_tokens = false;        ///< Output tokens of some ok call are an estimate.
  std::string skipped_reason;           ///< The most frequent one.
  std::string failure;                  ///< The most frequent error of the failed calls.
  int64_t failure_calls = 0;            ///< How many ended with `failure`.
  std::optional<double> prompt_tokens;  ///< Median real count of the ok calls.
  /// Output tokens of ok calls, ok calls, over the time from the first due to the last done of the
  /// whole planned leg. They stand with its largest part only. No aggregate_tps when an ok call has
  /// no token count.
  std::optional<double> aggregate_tps;
  std::optional<double> requests_per_sec;
  std::optional<AllCalls> all_calls;  ///< Where calls failed.
  std::vector<LegMark> marks;
  bool queued = false;  ///< Void because its calls waited for each other: VoidReason::queued.
  bool split = false;   ///< The planned leg has parts of other prefix states, too.
  /// Of e2e_ms, in the order sent. Absent below kMinForCourse ok calls and of cold legs.
  std::optional<Stationarity> course;
  /// What the machine's clock and temperature did meanwhile, a sentence part, where it drifted or
  /// was saturated and its machine tells.
  std::string course_evidence;
  std::optional<Sustained> sustained;  ///< Where the leg goes on for a time.
  /// Of a cold leg: what its calls were (CallRecord::cold_kind), and why page cache or read bytes
  /// are not known (CallRecord::cold_note). Each once, at most kMaxColdTexts.
  std::vector<std::string> cold_kinds;
  std::vector<std::string> cold_notes;
  /// Of the machine that served it; absent where no machine was sampled at all.
  std::optional<LegTelemetry> telemetry;
  std::vector<MetricResult> metrics;  ///< In table order; metrics without a value are left out.
  std::vector<Trouble> troubles;      ///< By outcome and reason.
  double active_s = 0;                ///< From the first call sent to the last one done.
  std::vector<size_t> calls;  ///< Its final records that are kept: their indices, ascending.

  /// Null when no ok call has a value.
  [[nodiscard]] const MetricResult* find(std::string_view metric) const;
};

/// Warm-up calls: counted, in no figure.
struct WarmupCount {
  int64_t n = 0;
  int64_t ok = 0;
  int64_t failed = 0;
};

inline constexpr int64_t kMinForCourse = 30;
inline constexpr size_t kMaxColdTexts = 4;

struct RunLegs {
  /// In plan order, the parts of a planned leg fresh, reused, unknown. A planned leg of which
  /// nothing was recorded is there with n = 0. Warm-up legs are left out.
  std::vector<LegResult> legs;
  WarmupCount warmup;
};

/// Groups a run's final records, all of them kept; LegBuilder does the same for those that pass by.
/// Failed and skipped calls count with the largest part of their leg. Of several final records of
/// one planned call the first counts.
RunLegs group_legs(const LedgerContent& ledger);

/// Prefill speed from how the median time grows with the prompt's real length.
struct PrefillFit {
  /// 1 / slope; absent when the time grows by less than kLeastGrowthMs over all lengths.
  std::optional<double> tps;
  std::optional<double> floor_ms;  ///< The intercept, `ttft_floor_ms`; absent when negative.
  int64_t lengths = 0;             ///< Distinct lengths that were there; at least 3 are needed.
};

/// Whose time: TTFT as the client sees it, or the engine's own `prefill_ms`.
enum class PrefillTime : uint8_t { kClient, kEngine };

/// Over the fresh legs of one cell, cold ones left out (they hold the load), at the lowest
/// concurrency there is.
PrefillFit fit_prefill(std::span<const LegResult> legs, std::string_view cell_id, PrefillTime time);
inline constexpr int64_t kMinPrefillLengths = 3;
inline constexpr double kLeastGrowthMs = 1;

}  // namespace assay
