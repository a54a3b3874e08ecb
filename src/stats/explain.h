#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "model/call_record.h"
#include "stats/legs.h"
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

/// Finds for each leg the call whose value of a metric is the median, from records that pass by: 16
/// bytes a call.
class MedianCalls {
 public:
  struct Found {
    std::optional<int64_t> place;  ///< Of the call among all records; absent when none has a value.
    std::string_view missing;      ///< Then: why_missing() of most calls.
    int64_t missing_calls = 0;
  };

  /// `metric` outlives it.
  explicit MedianCalls(const Metric& metric) : metric_(metric) {}
  /// Every record, in ledger order.
  void add(const CallRecord& call);
  [[nodiscard]] Found find(const LegResult& leg) const;

 private:
  using Key = std::tuple<std::string, std::string, Phase, int64_t, Prefix>;
  struct Group {
    std::vector<std::pair<double, int64_t>> values;  ///< With the call's place.
    std::map<std::string_view, int64_t> missing;
  };

  const Metric& metric_;
  std::map<Key, Group> groups_;
  int64_t places_ = 0;
};

}  // namespace assay
