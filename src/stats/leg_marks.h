#pragma once

#include <string_view>
#include <vector>

#include "model/run.h"
#include "stats/leg_evidence.h"
#include "stats/legs.h"

namespace assay {

/// Adds to each leg what has to stand beside its figures (LegResult::marks), and takes away figures
/// that would answer another question than the one asked:
/// - void: the scenario was not what the plan says; no metric is left;
/// - invalid: faster than the machine's memory or cores can be;
/// - order_effect: what call came before changes the leg's speed by more than kOrderShare, beyond
///   chance;
/// - off_reference: a median is not what the file of cells expects of it;
/// - throttled, steal, clock_fell: by TelemetryJoin;
/// - client_limited: the client took events at more than kClientShare of the rate at which
///   calibration found its ceiling.
/// `evidence`: one for each of `legs`.
void mark_legs(const RunMeta& meta, std::vector<LegEvidence> evidence,
               std::vector<LegResult>& legs);
inline constexpr double kClientShare = 0.8;
inline constexpr double kOrderShare = 0.02;

/// The mark of that code, or null.
const LegMark* find_mark(const LegResult& leg, std::string_view code);

}  // namespace assay
