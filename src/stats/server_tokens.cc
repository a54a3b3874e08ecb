#include "stats/server_tokens.h"

#include <set>
#include <utility>

namespace assay {
namespace {

/// What servers counted over the stages of a cell or a leg.
struct Counted {
  std::set<int64_t> legs;
  std::map<int64_t, int64_t> readings;  ///< By leg.
  int64_t tokens = 0;
  bool pooled = false;
};

void count_stage(const std::set<int64_t>& legs, int64_t tokens, Counted& counted) {
  counted.tokens += tokens;
  counted.pooled |= legs.size() > 1;
  for (const int64_t leg : legs) {
    counted.legs.insert(leg);
    ++counted.readings[leg];
  }
}

}  // namespace

void AnsweredTokens::add(const CallRecord& r) {
  if (r.outcome == Outcome::kSkipped || r.leg < 0) return;
  if (r.leg >= static_cast<int64_t>(legs_.size())) return;
  Answered& leg = legs_[static_cast<size_t>(r.leg)];
  leg.whole &= r.outcome == Outcome::kOk && r.usage_output_tokens.has_value();
  leg.usage += r.usage_output_tokens.value_or(0);
  ++leg.calls;
}

std::map<int64_t, int64_t> AnsweredTokens::stages_of_legs() const {
  std::set<std::pair<int64_t, int64_t>> pairs;
  for (const PlannedCall& call : meta_.calls) pairs.emplace(call.leg, call.stage);
  std::map<int64_t, int64_t> stages;
  for (const auto& [leg, stage] : pairs) ++stages[leg];
  return stages;
}

ServerTokens AnsweredTokens::beside(const std::vector<ServerCounters>& stages) const {
  std::map<int64_t, Counted> cells;
  std::map<int64_t, Counted> legs;
  for (const ServerCounters& stage : stages) {
    if (!stage.output_tokens) continue;
    std::set<int64_t> of_server;
    std::set<int64_t> of_cells;
    for (const int64_t index : stage.legs) {
      if (index < 0 || index >= static_cast<int64_t>(legs_.size())) continue;
      const int64_t cell = meta_.legs[static_cast<size_t>(index)].cell;
      if (cell < 0 || cell >= static_cast<int64_t>(meta_.cells.size())) continue;
      const Cell& asked = meta_.cells[static_cast<size_t>(cell)];
      if (asked.url != stage.url || (!stage.model.empty() && asked.model != stage.model)) continue;
      of_server.insert(index);
      of_cells.insert(cell);
    }
    if (of_cells.size() != 1) continue;  // Cells that share a stage share the figure.
    count_stage(of_server, *stage.output_tokens, cells[*of_cells.begin()]);
    if (of_server.size() == 1)
      count_stage(of_server, *stage.output_tokens, legs[*of_server.begin()]);
  }
  const auto planned = stages_of_legs();
  const auto told = [&](const Counted& counted) -> std::optional<CountedTokens> {
    CountedTokens sum;
    sum.server = counted.tokens;
    sum.pooled = counted.pooled;
    for (const int64_t leg : counted.legs) {
      const Answered& answered = legs_[static_cast<size_t>(leg)];
      const auto stages_there = planned.find(leg);
      const bool every =
          stages_there != planned.end() && stages_there->second == counted.readings.at(leg);
      if (!answered.whole || !every) return std::nullopt;
      sum.calls += answered.calls;
      sum.usage += answered.usage;
    }
    return sum.calls > 0 ? std::optional(sum) : std::nullopt;
  };
  ServerTokens result;
  for (const auto& [cell, counted] : cells) {
    if (const auto sum = told(counted)) result.cells.emplace(cell, *sum);
  }
  for (const auto& [leg, counted] : legs) {
    if (const auto sum = told(counted)) result.legs.emplace(leg, *sum);
  }
  return result;
}

}  // namespace assay
