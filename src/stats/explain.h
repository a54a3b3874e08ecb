#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/call_record.h"
#include "stats/metrics.h"

namespace assay {

/// What another tool would have reported from the same stream.
struct PeerFigure {
  std::string_view tool;    ///< `vLLM bench serve`
  std::string_view called;  ///< Its own name for it: `TTFT`.
  std::string_view metric;  ///< The metric of ours that follows its formula.
  std::string_view why;     ///< What makes it differ from ours.
};

/// The figures of other tools that a person might hold against `metric`; empty when there are none.
/// Their formulas were read in their sources.
std::span<const PeerFigure> peers_of(std::string_view metric);

/// The metric's definition with one call's values in it: `(64 - 1) tokens / (1.321 s - 0.201 s)`.
/// Absent where the definition has no such form, or the call lacks a value.
std::optional<std::string> formula_with_values(std::string_view metric, const CallRecord& call);

/// Why a call has no value of the metric, as a code: `no_token_count`, `few_tokens` ...; empty when
/// it has one. missing_text() says it in words, for people.
std::string_view why_missing(const Metric& metric, const CallRecord& call);
std::string_view missing_text(std::string_view why);

/// The call whose value of the metric is the median of all that have one; null when none has.
const CallRecord* median_call(const Metric& metric, std::span<const CallRecord* const> calls);

}  // namespace assay
