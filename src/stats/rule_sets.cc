#include "stats/rule_sets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include "stats/summary.h"

namespace assay {
namespace {

constexpr double kBaselineShare = 0.30;
constexpr double kTrendShare = 0.10;
constexpr double kRedFlagBelow = 0.95;
constexpr size_t kRecent = 3;
constexpr double kWarningZ = 2.0;
constexpr double kAnomalyZ = 2.5;
/// 0.3 as a quotient of whole milliseconds: 130 / 100 - 1 is a little less than it.
constexpr double kRounding = 1e-9;

using Key = std::pair<std::string, std::string>;

std::map<Key, HarnessBatch> warm_calls(const HarnessCalls& calls) {
  const Phase phase = calls.has_warm() ? Phase::kWarm : Phase::kMeasure;
  std::map<Key, HarnessBatch> groups;
  for (const HarnessBatch& batch : calls.batches()) {
    if (batch.phase == phase) groups[{batch.cell_id, batch.prompt_id}].add(batch);
  }
  return groups;
}

std::optional<double> mean(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::optional<double> p50(const std::vector<double>& values) { return median(values); }

struct Rule {
  std::string_view metric;
  std::vector<double> HarnessBatch::*values;
  std::optional<double> (*figure)(const std::vector<double>&);
  bool higher_is_better;
};
constexpr std::array kRules{
    Rule{"warm.first_delta_ms.p50", &HarnessBatch::first_delta, p50, false},
    Rule{"warm.total_duration_ms.p50", &HarnessBatch::total, p50, false},
    Rule{"warm.tokens_per_sec.mean", &HarnessBatch::tokens_per_sec, mean, true}};

Finding apply(const Rule& rule, const Key& key, const HarnessBatch* base, const HarnessBatch* now) {
  Finding f;
  f.cell_id = key.first;
  f.prompt_id = key.second;
  f.metric = rule.metric;
  if (base != nullptr) f.base = rule.figure(base->*rule.values);
  if (now != nullptr) {
    f.now = rule.figure(now->*rule.values);
    f.n = static_cast<int64_t>((now->*rule.values).size());
  }
  if (!f.base || !f.now || *f.base <= 0) {
    f.kind = Finding::Kind::kNotComparable;
    f.detail = !f.base  ? "the base has no value"
               : !f.now ? "the new run has no value"
                        : "the base's value is 0";
    return f;
  }
  f.change = *f.now / *f.base - 1;
  const double worse = rule.higher_is_better ? -*f.change : *f.change;
  if (worse >= kBaselineShare - kRounding) f.kind = Finding::Kind::kRegression;
  if (-worse >= kBaselineShare - kRounding) f.kind = Finding::Kind::kWin;
  f.detail = fmt::format("{:+.1f} % (n {})", *f.change * 100, f.n);
  return f;
}

std::optional<Finding> red_flag(const Key& key, const HarnessBatch& now) {
  const double rate = static_cast<double>(now.n - now.errors) / static_cast<double>(now.n);
  if (rate >= kRedFlagBelow) return std::nullopt;
  Finding f;
  f.kind = Finding::Kind::kRedFlag;
  f.cell_id = key.first;
  f.prompt_id = key.second;
  f.metric = "warm.success_rate";
  f.now = rate;
  f.n = now.n;
  f.detail = fmt::format("{} of {} calls failed", now.errors, now.n);
  return f;
}

}  // namespace

std::vector<Finding> baseline30(const HarnessCalls& base, const HarnessCalls& now) {
  const auto old_groups = warm_calls(base);
  const auto new_groups = warm_calls(now);
  std::map<Key, std::pair<const HarnessBatch*, const HarnessBatch*>> both;
  for (const auto& [key, warm] : old_groups) both[key].first = &warm;
  for (const auto& [key, warm] : new_groups) both[key].second = &warm;
  std::vector<Finding> findings;
  for (const auto& [key, sides] : both) {
    for (const Rule& rule : kRules) {
      findings.push_back(apply(rule, key, sides.first, sides.second));
    }
    if (sides.second == nullptr) continue;
    if (auto flag = red_flag(key, *sides.second)) findings.push_back(std::move(*flag));
  }
  return findings;
}

std::optional<Finding> trend10(std::string_view cell_id, std::span<const TrendPoint> points) {
  if (points.size() < kMinTrendRuns) return std::nullopt;
  std::vector<double> all;
  for (const TrendPoint& point : points) all.push_back(point.tokens_per_sec);
  const std::vector<double> recent(all.end() - kRecent, all.end());
  Finding f;
  f.cell_id = cell_id;
  f.metric = "tokens_per_sec.mean";
  f.base = mean(all);
  f.now = mean(recent);
  f.n = static_cast<int64_t>(all.size());
  if (*f.base <= 0) {
    f.kind = Finding::Kind::kNotComparable;
    f.detail = "the mean over all runs is 0";
    return f;
  }
  f.change = *f.now / *f.base - 1;
  if (*f.change < -kTrendShare) f.kind = Finding::Kind::kRegression;
  if (*f.change > kTrendShare) f.kind = Finding::Kind::kWin;
  f.detail = fmt::format("last {} runs {:+.1f} % against the mean of {}", kRecent, *f.change * 100,
                         all.size());
  double squares = 0;
  for (const double value : all) squares += (value - *f.base) * (value - *f.base);
  const double deviation = std::sqrt(squares / static_cast<double>(all.size() - 1));
  for (const TrendPoint& point : points) {
    const double z = deviation > 0 ? (point.tokens_per_sec - *f.base) / deviation : 0;
    if (std::fabs(z) <= kWarningZ) continue;
    f.detail += fmt::format("; {} {} (z {:+.1f})", point.run_id.substr(0, 8),
                            std::fabs(z) > kAnomalyZ ? "is an anomaly" : "stands out", z);
  }
  return f;
}

}  // namespace assay
