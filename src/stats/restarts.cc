#include "stats/restarts.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "stats/compare.h"

namespace assay {
namespace {

constexpr size_t kMinLoads = 4;

bool is_positive(const MetricResult& result) {
  return std::all_of(result.values.begin(), result.values.end(),
                     [](double v) { return v > 0 && std::isfinite(v); });
}

/// Squares of the pairs' differences, averaged over prompts before they are squared.
double mean_square(const std::vector<std::vector<double>>& prompts, size_t pairs) {
  double squares = 0;
  for (size_t pair = 0; pair < pairs; ++pair) {
    double difference = 0;
    for (const auto& loads : prompts) {
      difference += std::log(loads[2 * pair + 1] / loads[2 * pair]);
    }
    difference /= static_cast<double>(prompts.size());
    squares += difference * difference;
  }
  return squares / static_cast<double>(pairs);
}

}  // namespace

std::vector<double> restart_means(const MetricResult& result) {
  std::map<int64_t, std::pair<double, int64_t>> sums;
  for (size_t i = 0; i < result.values.size(); ++i) {
    auto& [sum, n] = sums[result.restarts.empty() ? 0 : result.restarts[i]];
    sum += std::log(result.values[i]);
    ++n;
  }
  std::vector<double> means;
  for (const auto& [restart, one] : sums) {
    means.push_back(std::exp(one.first / static_cast<double>(one.second)));
  }
  return means;
}

std::vector<IdenticalPairs> noise_floors(std::span<const LegResult> legs) {
  using Key = std::tuple<std::string, std::string_view, Prefix, int64_t>;
  std::map<Key, std::vector<std::vector<double>>> prompts;
  for (const LegResult& leg : legs) {
    if (leg.phase != Phase::kWarm && leg.phase != Phase::kMeasure) continue;
    for (const JudgedMetric& judged : judged_metrics()) {
      if (!judged.stands_in_for.empty()) continue;
      const MetricResult* result = leg.find(judged.metric);
      if (result == nullptr || !is_positive(*result)) continue;
      auto loads = restart_means(*result);
      if (loads.size() < kMinLoads) continue;
      const Prefix prefix = judged.by_prefix ? leg.prefix : Prefix::kUnknown;
      prompts[{leg.cell_id, judged.metric, prefix, leg.concurrency}].push_back(std::move(loads));
    }
  }
  std::map<std::pair<std::string, std::string_view>, IdenticalPairs> floors;
  for (const auto& [key, of_prompts] : prompts) {
    size_t loads = of_prompts.front().size();
    for (const auto& one : of_prompts) loads = std::min(loads, one.size());
    const size_t pairs = loads / 2;
    const double share = std::expm1(std::sqrt(mean_square(of_prompts, pairs)));
    IdenticalPairs& floor = floors[{std::get<0>(key), std::get<1>(key)}];
    if (floor.pairs > 0 && floor.share >= share) continue;
    floor = {std::get<0>(key), std::get<1>(key), share, static_cast<int64_t>(pairs)};
  }
  std::vector<IdenticalPairs> list;
  for (auto& [key, floor] : floors) list.push_back(std::move(floor));
  return list;
}

}  // namespace assay
