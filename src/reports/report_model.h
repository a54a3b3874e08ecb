#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/run.h"
#include "stats/caveats.h"
#include "stats/checks.h"
#include "stats/harness_calls.h"
#include "stats/headcount.h"
#include "stats/legs.h"
#include "stats/routing.h"
#include "stats/server_tokens.h"
#include "stats/telemetry_join.h"

namespace assay {

/// One cell's figures in a line. Absent where there is nothing to say.
struct CellSummary {
  int64_t cell = 0;  ///< Index into ReportModel::cells.
  int64_t ok = 0;
  int64_t failed = 0;
  int64_t skipped = 0;
  bool estimated_tokens = false;  ///< Output tokens of some ok call are an estimate.
  std::string skipped_reason;     ///< Why nothing was measured, or the most frequent reason.

  /// Prompt processing. `client`: the slope of fresh TTFT over prompt lengths; where there are too
  /// few lengths, `engine`: the engine's own figure.
  std::optional<double> pp_tps;
  std::string_view pp_source;  ///< `client`, `engine` or empty.
  std::optional<double> ttft_floor_ms;
  /// Text generation. Suite `speed`: at the shortest prompt. Others: the equal-weight mean over
  /// prompts, its interval from the prompts' own ones.
  std::optional<double> tg_tps;
  std::optional<Interval> tg_ci95;
  std::string_view tg_no_ci95;  ///< Summary::no_ci95 of the leg that has no interval.
  /// Text generation after the longest prompt, where that is at least kMinDepthTokens.
  std::optional<double> tg_depth_tps;
  std::optional<int64_t> depth_tokens;  ///< As planned, else as counted.
  /// Median TTFT. Suite `speed`: of one prompt, the shortest that has both states, else the
  /// shortest. Others: the equal-weight mean of the prompts' medians.
  std::optional<double> ttft_fresh_ms;
  std::optional<double> ttft_reused_ms;
  std::optional<double> ttft_unknown_ms;
  /// Calls behind those medians; over several prompts, of the prompt with the fewest.
  int64_t ttft_fresh_calls = 0;
  int64_t ttft_reused_calls = 0;
  int64_t ttft_unknown_calls = 0;
  std::optional<double> load_ms;        ///< Start to ready of a managed engine, else of cold calls.
  std::optional<int64_t> memory_bytes;  ///< Of the loaded model, or of a managed engine's process.

  /// What the engine says itself, over the same calls, and client / engine - 1.
  std::optional<double> engine_pp_tps;
  std::optional<double> engine_tg_tps;
  std::optional<double> pp_difference;
  std::optional<double> tg_difference;
  /// Output tokens a call as three sides count them: events that the client saw, the answer's usage
  /// and the engine's own figures; of the leg behind tg_tps.
  std::optional<double> text_events;
  std::optional<double> usage_tokens;
  std::optional<double> engine_tokens;
  /// Output tokens of each call that usage counts and no event brought; absent where that is so
  /// few, or so various, that events can explain it.
  std::optional<double> hidden_tokens;
  std::optional<CountedTokens> server;  ///< What the server's counters say of all its calls.
  bool contradicted = false;            ///< Two sides differ by more than can be: engine_says.h.

  /// How much of the machine's memory and cores the figures take: stats/ceiling.h.
  std::optional<double> bandwidth_share;  ///< Of the leg behind tg_tps.
  std::optional<double> compute_share;    ///< The largest of the cell's legs.
  bool voided = false;  ///< A leg's scenario did not hold: figures that rest on it are missing.
  std::optional<LegTelemetry> telemetry;  ///< Of all its calls; absent where nothing was sampled.
  bool marked = false;  ///< A leg carries another mark: the figures are to be read with it.
};
inline constexpr int64_t kMinDepthTokens = 1000;

/// How long the machine was left to cool in between.
struct CoolingTotals {
  int64_t waits = 0;
  double seconds = 0;
  int64_t not_cooled = 0;  ///< Waits that ended before the machine was as cool as asked.
};

/// Everything a report shows of one run. Made from the ledger alone, so that the same ledger always
/// gives the same bytes. Text in it is as the ledger has it: renderers escape.
struct ReportModel {
  RunMeta meta;
  std::string state;       ///< RunEnd::state; `interrupted` when the ledger has no end.
  std::string stopped_by;  ///< RunEnd::stopped_by
  CoolingTotals cooling;
  std::optional<double> wall_s;
  std::vector<double> load_avg_end;  ///< Empty when the ledger has no end.
  std::vector<std::string> notes;    ///< The planner's, then those of the ledger and the cells.
  std::vector<Caveat> unreliable;
  Measurement measurement;
  WarmupCount warmup;
  std::vector<LegResult> legs;
  std::vector<CellSummary> cells;        ///< One per RunMeta::cells, in its order.
  std::vector<RoutingOverhead> routing;  ///< What routers add; empty without routed cells.
  std::vector<CallRecord> calls;         ///< Every record in ledger order, or those that are kept.
  std::vector<TelemetryStream> telemetry;  ///< Of the machines that were sampled.
  Goodput goodput;                         ///< What was asked of each call, and how many users.
  std::vector<Flight> flights;  ///< Every call that was sent to one of them, in ledger order.
  /// By the place in `calls`, one a domain that tells; empty where no machine was sampled, or not
  /// every record is kept.
  std::vector<std::vector<CallEnergy>> call_energy;
  HarnessCalls harness;  ///< For source 004's tables and the rule sets.
  int64_t left_out = 0;  ///< Records that are not kept: figures hold them, too.

  [[nodiscard]] const Cell& cell_of(const CellSummary& summary) const {
    return meta.cells[static_cast<size_t>(summary.cell)];
  }
};

/// Which records a model holds. Its figures are of all of them in any case.
enum class Keep : uint8_t {
  kAll,    ///< For who lists single calls: CSV.
  kSample  ///< The first kKeptOfLeg that each leg answered, and as many of those that gave no
           ///< figure; of a plan of at most kMaxKeptCalls also all others, up to as many.
};
inline constexpr size_t kMaxKeptCalls = 20'000;
inline constexpr int64_t kKeptOfLeg = 100;

/// A model made while the ledger is read: of what is not kept some 300 bytes a call stay. One
/// thread.
class ReportModelBuilder {
 public:
  explicit ReportModelBuilder(Keep keep);
  ~ReportModelBuilder();
  ReportModelBuilder(const ReportModelBuilder&) = delete;
  ReportModelBuilder& operator=(const ReportModelBuilder&) = delete;

  /// What the machines did, before the first record.
  void set_telemetry(std::vector<TelemetryStream> streams);
  /// Before the first record. Later ones are dropped.
  void set_meta(const RunMeta& meta);
  /// Records before the meta line are held back until it comes.
  void add(CallRecord&& record);
  /// `rest`: everything of the ledger but its calls. Never fails: what the ledger lacks is absent
  /// in the model. Call it once.
  ReportModel finish(LedgerContent rest);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Of a ledger that is in memory; all its records are kept.
ReportModel make_report_model(LedgerContent ledger);

}  // namespace assay
