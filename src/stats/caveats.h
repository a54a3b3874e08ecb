#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/run.h"
#include "stats/checks.h"
#include "stats/legs.h"

namespace assay {

/// Why a run's figures need care.
struct Caveat {
  std::string_view code;
  std::string detail;  ///< One sentence part for people, of plain text.
};

/// What makes a run `unreliable`, in this order; nothing else ever appears:
/// - imported: another tool measured the run;
/// - client_lag, loop_lag, coalesced, clock_jump, impossible_instants (monotone_instants or
///   ttft_above_rtt), engine_disagrees, token_counts_disagree: a check of the measurement failed;
/// - in_flight_differs, server_shared, prefix_cache, arrivals_late, arrivals_rate: as above;
/// - void, invalid, order_effect, throttled, steal, clock_fell, client_limited: legs that are
///   marked so (stats/leg_marks.h);
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
/// Random weights are no caveat: speed is real. Of `ledger` everything but the calls is looked at.
std::vector<Caveat> find_caveats(const LedgerContent& ledger, const RecordCounts& counts,
                                 const Measurement& measurement, std::span<const LegResult> legs);
inline constexpr int64_t kFewCalls = 3;
inline constexpr double kMinSuccessRate = 0.95;

}  // namespace assay
