#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "model/run.h"
#include "stats/arrival_audit.h"

namespace assay {

/// One question about the measurement itself.
struct Check {
  std::string_view name;
  bool ok = true;               ///< Also true where nothing could be judged: `value` is absent.
  std::optional<double> value;  ///< What was found.
  double limit = 0;             ///< `value` may reach it.
  bool decides = true;          ///< False: told, but no reason to distrust anything here.
};

/// The verdict on a run's measurement, over its measured (not warm-up) final records:
/// - client_lag (ms, 2): p99 over calls of the calls' p99 of read time minus kernel receive time.
///   It decides unless the kernel stamped every call: its stamps stay right when reads come late.
/// - loop_lag (ms, 2): the load loop's own p99. A closed loop sends when an answer ends, so it only
///   informs; it decides where stamps are our own reads, being then all that tells their lateness.
/// - coalesced_share (0.05): text-bearing events that shared a read because we read late.
/// - monotone_instants (0): calls whose instants run backwards by more than the stamp error.
/// - ttft_above_rtt (0): calls whose first text came sooner than the connection's least round trip.
/// - engine_decode_agreement (0.05): median over calls of |client / engine - 1| of the decode
/// speed,
///   from calls of kMinAgreementTokens output tokens on (below, whether the engine's time covers n
///   or n - 1 tokens is most of the difference).
/// - token_count_agreement (0): calls whose usage and engine counts differ by more than one token.
/// - clock_jump (0): calls flagged `clock_jump`.
/// - calibration (ms, 2): p99 of how far the stamps were off the simulated engine's true send times
///   before the run; it informs, since the run's own lag tells of the run.
/// - littles_law (0.05): how far the calls' times in flight, added up from the records, are off
/// what
///   the load loop counted as it went: |sum / counted - 1|, from one second on.
/// - server_tokens (0.02): output tokens that the server counted beyond those we received, as a
/// share:
///   somebody else used it. From 100 tokens on, and only where every call was answered.
/// - prefix_cache (kTemplateShare): the share of salted prompts that a server had in its prefix
/// cache
///   by its own counters: stats/prefix_guard.h.
/// - arrivals_late (ms, 2): open loop: p99 of how late calls were sent.
/// - arrivals_rate (0.05): open loop: |achieved / asked - 1| of the call rate.
struct Measurement {
  bool ok = true;  ///< All checks are.
  StampSource stamps = StampSource::kNone;
  std::optional<double> client_lag_ms_p99;
  std::optional<double> loop_lag_ms_p99;
  std::optional<double> coalesced_share;
  /// Median of client / engine - 1, with its sign; what engine_decode_agreement is about.
  std::optional<double> engine_difference;
  std::vector<Check> checks;
  std::optional<ArrivalAudit> arrivals;  ///< Of the open-loop leg with most calls.
};
inline constexpr int64_t kMinAgreementTokens = 40;

/// What a run's records say beside the checks.
struct RecordCounts {
  int64_t planned = 0;  ///< Calls of the plan that have a final record.
  // Of measured final records:
  int64_t prompt_truncated = 0;  ///< Flagged so, as the next two.
  int64_t context_short = 0;
  int64_t estimated_tokens = 0;  ///< Of the ok ones.
  int64_t no_token_count = 0;    ///< Of the ok ones.
};

/// Checks a measurement while its records pass by: 16 bytes a call, as much again for those of open
/// loops. One thread.
class RunChecks {
 public:
  /// `meta` outlives it.
  explicit RunChecks(const RunMeta& meta);
  ~RunChecks();
  RunChecks(const RunChecks&) = delete;
  RunChecks& operator=(const RunChecks&) = delete;

  /// Every record, in ledger order.
  void add(const CallRecord& record);
  /// Of `ledger` everything but the calls is looked at.
  [[nodiscard]] Measurement measurement(const LedgerContent& ledger) const;
  [[nodiscard]] const RecordCounts& counts() const;

 private:
  struct Found;
  std::unique_ptr<Found> found_;
};

}  // namespace assay
