#include "stats/leg_columns.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace assay {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// The summary of a metric whose calls have one value each.
Summary summary_of(const Metric& metric, const std::vector<double>& values) {
  // Rates and counts are as skewed as times; among them the slow calls are the low ones.
  return summarise(values, Scale::kLog,
                   metric.unit == "ms" ? Outliers::kHigh : Outliers::kBothWays);
}

}  // namespace

LegColumns::LegColumns() : columns_(metrics().size()) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Metric& metric = metrics()[i];
    if (metric.parts_of_call != nullptr || metric.gaps_of_call != nullptr) continue;
    for (size_t before = 0; before < i; ++before) {
      const Metric& other = metrics()[before];
      const bool alias = other.of_call == metric.of_call && other.unit == metric.unit &&
                         other.parts_of_call == nullptr && other.gaps_of_call == nullptr;
      if (alias && !columns_[i].same_as) columns_[i].same_as = before;
    }
  }
}

void LegColumns::put(std::vector<double>& column, double value) const {
  if (column.empty()) {
    if (std::isnan(value)) return;
    column.reserve(std::max(expected_, sent_.size() + 1));
  }
  column.resize(sent_.size(), kNone);
  column.push_back(value);
}

void LegColumns::add(const CallRecord& call) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Metric& metric = metrics()[i];
    Column& column = columns_[i];
    if (column.same_as) continue;
    if (metric.gaps_of_call != nullptr) {
      const derive::Gaps gaps = metric.gaps_of_call(call);
      put(column.values, gaps.ms.empty() ? kNone : mean_of(gaps.ms));
      gaps_.add(gaps.ms);
      if (gaps.ms.empty()) continue;
      events_ += gaps.events;
      coalesced_ += gaps.coalesced;
    } else if (metric.parts_of_call != nullptr) {
      const auto parts = metric.parts_of_call(call);
      put(column.values, parts ? parts->numerator : kNone);
      put(column.denominators, parts ? parts->denominator : kNone);
    } else {
      put(column.values, metric.of_call(call).value_or(kNone));
    }
  }
  if (call.restart != 0 || !restarts_.empty()) {
    restarts_.resize(sent_.size(), 0);
    restarts_.push_back(call.restart);
  }
  run_idx_.push_back(call.run_idx);
  sent_.push_back(call.at.sent.value_or(INT64_MAX));
}

std::vector<uint32_t> LegColumns::sending_order() const {
  std::vector<uint32_t> order(sent_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return sent_[a] < sent_[b]; });
  return order;
}

MetricResult LegColumns::take(size_t index, const std::vector<uint32_t>& order,
                              const std::shared_ptr<const std::vector<int64_t>>& repetitions) {
  const Metric& metric = metrics()[index];
  Column column = std::move(columns_[index]);
  MetricResult result;
  result.metric = &metric;
  std::vector<derive::Ratio> parts;
  std::vector<int64_t> run_idx;
  const auto has_value = [&](uint32_t i) {
    return i < column.values.size() && !std::isnan(column.values[i]);
  };
  const bool every = std::all_of(order.begin(), order.end(), has_value);
  for (const uint32_t i : order) {
    if (!has_value(i)) continue;
    const double value = column.values[i];
    if (metric.parts_of_call != nullptr) {
      parts.push_back({value, column.denominators[i]});
      result.values.push_back(value / column.denominators[i]);
    } else {
      result.values.push_back(value);
    }
    if (!restarts_.empty()) result.restarts.push_back(restarts_[i]);
    if (!every) run_idx.push_back(run_idx_[i]);
  }
  result.run_idx =
      every ? repetitions : std::make_shared<const std::vector<int64_t>>(std::move(run_idx));
  if (metric.gaps_of_call != nullptr) {
    result.summary = gaps_.summarise(order);
    result.counted = gaps_.counted();
    const double limit = derive::kMaxCoalescedShare * static_cast<double>(events_);
    if (static_cast<double>(coalesced_) > limit) {
      result.summary.p99.reset();
      result.summary.p99_ci95.reset();
    }
  } else if (metric.parts_of_call != nullptr) {
    result.summary = summarise_ratio(parts);
  } else {
    result.summary = summary_of(metric, result.values);
  }
  if (restarts_.empty()) return result;
  if (metric.gaps_of_call != nullptr) parts = gaps_.parts(order);
  if (parts.empty()) {
    for (const double value : result.values) parts.push_back({value, 1});
  }
  result.summary = by_restart(std::move(result.summary), parts, result.restarts);
  return result;
}

std::vector<MetricResult> LegColumns::finish() {
  const std::vector<uint32_t> order = sending_order();
  if (!restarts_.empty()) restarts_.resize(sent_.size(), 0);
  std::vector<int64_t> run_idx;
  for (const uint32_t i : order) run_idx.push_back(run_idx_[i]);
  const auto repetitions = std::make_shared<const std::vector<int64_t>>(std::move(run_idx));
  std::vector<MetricResult> results;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto& alias = columns_[i].same_as;
    MetricResult result;
    if (alias) {
      const auto found = std::find_if(results.begin(), results.end(), [&](const MetricResult& r) {
        return r.metric == &metrics()[*alias];
      });
      if (found == results.end()) continue;
      result = *found;
      result.metric = &metrics()[i];
    } else if (!columns_[i].values.empty()) {
      result = take(i, order, repetitions);
    }
    if (result.summary.n > 0) results.push_back(std::move(result));
  }
  return results;
}

}  // namespace assay
