#include "stats/arrival_audit.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "stats/correlation.h"
#include "stats/percentiles.h"

namespace assay {
namespace {

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double variance_of(const std::vector<double>& values, double mean) {
  double sum = 0;
  for (const double v : values) sum += (v - mean) * (v - mean);
  return sum / static_cast<double>(values.size() - 1);
}

std::optional<double> dispersion_of(const std::vector<double>& sent_s, double mean_gap) {
  constexpr double kGapsAWindow = 8;
  const double width = kGapsAWindow * mean_gap;
  const auto windows = static_cast<int64_t>((sent_s.back() - sent_s.front()) / width);
  if (windows < kMinWindows) return std::nullopt;
  std::vector<double> counts(static_cast<size_t>(windows), 0);
  for (const double at : sent_s) {
    const auto window = static_cast<size_t>((at - sent_s.front()) / width);
    if (window < counts.size()) ++counts[window];
  }
  const double mean = mean_of(counts);
  return variance_of(counts, mean) / mean;
}

}  // namespace

void ArrivalLog::add(const CallRecord& call) {
  if (!call.at.due) return;
  if (!call.at.sent) {
    ++dropped_;
    return;
  }
  sent_s_.push_back(static_cast<double>(*call.at.sent) / 1e9);
  late_ms_.push_back(static_cast<double>(*call.at.sent - *call.at.due) / 1e6);
}

std::optional<ArrivalAudit> ArrivalLog::audit() const {
  if (static_cast<int64_t>(sent_s_.size()) < kMinForAudit) return std::nullopt;
  ArrivalAudit audit;
  audit.dropped = dropped_;
  std::vector<double> sent_s = sent_s_;
  std::vector<double> late_ms = late_ms_;
  std::sort(sent_s.begin(), sent_s.end());
  std::vector<double> gaps;
  for (size_t i = 1; i < sent_s.size(); ++i) gaps.push_back(sent_s[i] - sent_s[i - 1]);
  const double mean_gap = mean_of(gaps);
  if (mean_gap <= 0) return std::nullopt;
  audit.calls = static_cast<int64_t>(sent_s.size());
  audit.rate = 1 / mean_gap;
  audit.variation = std::sqrt(variance_of(gaps, mean_gap)) / mean_gap;
  audit.dispersion = dispersion_of(sent_s, mean_gap);
  audit.lag1 = lag1_correlation(gaps);
  audit.late =
      std::count_if(late_ms.begin(), late_ms.end(), [](double ms) { return ms > kLateMs; });
  std::sort(late_ms.begin(), late_ms.end());
  audit.late_p99_ms = percentile(late_ms, 0.99).value_or(0);
  return audit;
}

}  // namespace assay
