#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/run.h"
#include "stats/arrival_audit.h"
#include "stats/legs.h"

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

Measurement check_measurement(const LedgerContent& ledger);

/// Why a run's figures need care.
struct Caveat {
  std::string_view code;
  std::string detail;  ///< One sentence part for people, of plain text.
};

/// What makes a run `unreliable`, in this order; nothing else ever appears:
/// - imported: another tool measured the run;
/// - client_lag, loop_lag, coalesced, clock_jump, impossible_instants (monotone_instants or
///   ttft_above_rtt), engine_disagrees, token_counts_disagree: a check of the measurement failed;
/// - in_flight_differs, server_shared, arrivals_late, arrivals_rate: as above;
/// - void, invalid, order_effect, client_limited: legs that are marked so (stats/leg_marks.h);
/// - estimated_tokens: ok calls are flagged `estimated_tokens`;
/// - no_token_count: ok calls have no token count;
/// - prompt_truncated: calls are flagged `prompt_truncated`: the engine saw less than was sent;
/// - context_short: calls are flagged `context_short`, or a cell has less context than a leg asked;
/// - few_calls: a measured or warm leg that ran has fewer than kFewCalls ok calls (cold ones are
/// one
///   by design), legs without any count under failed_calls;
/// - drifting, saturated: LegResult::course of a leg is;
/// - interrupted: the run did not complete;
/// - failed_calls: a leg's success rate is below kMinSuccessRate (source 004's red flag);
/// - refused: the server refused the key (401, 403), so that legs were not asked;
/// - torn_ledger: lines were cut or double;
/// - incomplete_metadata: checks before the run that tell what was measured have no answer;
/// - preflight: one for each other check before the run that failed, where it decides.
/// Random weights are no caveat: speed is real.
std::vector<Caveat> find_caveats(const LedgerContent& ledger, const Measurement& measurement,
                                 std::span<const LegResult> legs);
inline constexpr int64_t kFewCalls = 3;
inline constexpr double kMinSuccessRate = 0.95;

}  // namespace assay
