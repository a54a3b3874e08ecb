#include "stats/routing.h"

#include <algorithm>
#include <array>
#include <map>

#include "stats/percentiles.h"

namespace assay {
namespace {

constexpr std::array<std::string_view, 2> kMetrics{"ttft_ms", "e2e_ms"};

using Values = std::vector<std::pair<int64_t, double>>;

/// Of several values of one repetition the last counts.
std::map<int64_t, double> by_repetition(const Values& values) {
  std::map<int64_t, double> sorted;
  for (const auto& [run_idx, value] : values) sorted[run_idx] = value;
  return sorted;
}

std::optional<RoutingOverhead> overhead(const Values& direct_values, const Values& routed_values,
                                        const Metric& metric) {
  const auto direct = by_repetition(direct_values);
  const auto routed = by_repetition(routed_values);
  std::vector<double> base;
  std::vector<double> now;
  std::vector<double> differences;
  for (const auto& [run_idx, value] : direct) {
    const auto other = routed.find(run_idx);
    if (other == routed.end()) continue;
    base.push_back(value);
    now.push_back(other->second);
    differences.push_back(other->second - value);
  }
  if (base.empty()) return std::nullopt;
  RoutingOverhead result;
  result.metric = &metric;
  result.direct = *median(base);
  result.routed = *median(now);
  result.overhead = result.routed - result.direct;
  result.difference = paired_difference(base, now);
  result.pairs = static_cast<int64_t>(base.size());
  std::sort(differences.begin(), differences.end());
  result.ci95 = percentile_interval(differences, 0.5);
  return result;
}

}  // namespace

RoutedCalls::RoutedCalls(const RunMeta& meta) : meta_(meta) {
  for (const Cell& cell : meta.cells) {
    if (!cell.routed_from.empty()) cells_.insert({cell.id, cell.routed_from});
  }
}

void RoutedCalls::add(const CallRecord& call) {
  if (cells_.empty() || !call.final || call.outcome != Outcome::kOk) return;
  if (call.concurrency != 1 || !cells_.contains(call.cell_id)) return;
  for (const std::string_view name : kMetrics) {
    const auto value = find_metric(name)->of_call(call);
    if (!value) continue;
    values_[{call.cell_id, call.prompt_id, call.phase, name}].emplace_back(call.run_idx, *value);
  }
}

const RoutedCalls::Values& RoutedCalls::values_of(const Key& key) const {
  static const Values kNone;
  const auto found = values_.find(key);
  return found == values_.end() ? kNone : found->second;
}

std::vector<RoutingOverhead> RoutedCalls::overheads() const {
  std::vector<RoutingOverhead> all;
  for (const Cell& cell : meta_.cells) {
    if (cell.routed_from.empty()) continue;
    for (const Prompt& prompt : meta_.prompts) {
      for (const Phase phase : {Phase::kWarm, Phase::kMeasure}) {
        for (const std::string_view name : kMetrics) {
          auto result = overhead(values_of({cell.routed_from, prompt.id, phase, name}),
                                 values_of({cell.id, prompt.id, phase, name}), *find_metric(name));
          if (!result) continue;
          result->cell_id = cell.routed_from;
          result->prompt_id = prompt.id;
          all.push_back(std::move(*result));
        }
      }
    }
  }
  return all;
}

}  // namespace assay
