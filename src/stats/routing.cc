#include "stats/routing.h"

#include <algorithm>
#include <array>
#include <map>

#include "stats/percentiles.h"

namespace assay {
namespace {

constexpr std::array<std::string_view, 2> kMetrics{"ttft_ms", "e2e_ms"};

/// By run_idx: the values of one cell's answered calls.
using Values = std::map<int64_t, double>;

Values values_of(std::span<const CallRecord> calls, const std::string& cell_id,
                 const std::string& prompt_id, Phase phase, const Metric& metric) {
  Values values;
  for (const CallRecord& call : calls) {
    if (!call.final || call.outcome != Outcome::kOk || call.phase != phase) continue;
    if (call.concurrency != 1 || call.cell_id != cell_id || call.prompt_id != prompt_id) continue;
    if (const auto value = metric.of_call(call)) values[call.run_idx] = *value;
  }
  return values;
}

std::optional<RoutingOverhead> overhead(const Values& direct, const Values& routed,
                                        const Metric& metric) {
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

std::vector<RoutingOverhead> routing_overhead(const RunMeta& meta,
                                              std::span<const CallRecord> calls) {
  std::vector<RoutingOverhead> all;
  for (const Cell& cell : meta.cells) {
    if (cell.routed_from.empty()) continue;
    for (const Prompt& prompt : meta.prompts) {
      for (const Phase phase : {Phase::kWarm, Phase::kMeasure}) {
        for (const std::string_view name : kMetrics) {
          const Metric& metric = *find_metric(name);
          auto result = overhead(values_of(calls, cell.routed_from, prompt.id, phase, metric),
                                 values_of(calls, cell.id, prompt.id, phase, metric), metric);
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
