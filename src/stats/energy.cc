#include "stats/energy.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <optional>
#include <vector>

namespace assay {
namespace {

constexpr double kNs = 1e-9;
/// The sum of a member over the cards that ever tell it; all of those have to tell it now. A
/// counter
/// (`has_to_move`) that stands still tells nothing: a card takes no 0 W.
class Cards {
 public:
  Cards(const TelemetryStream& stream, std::optional<double> GpuSample::*member, bool has_to_move)
      : member_(member), tells_(static_cast<size_t>(std::max<int64_t>(0, stream.gpus)), false) {
    std::vector<std::optional<double>> first(tells_.size());
    for (const TelemetrySample& sample : stream.samples) {
      for (size_t i = 0; i < std::min(tells_.size(), sample.gpus.size()); ++i) {
        const auto& value = sample.gpus[i].*member;
        if (!value) continue;
        if (!has_to_move || *value != first[i].value_or(*value)) tells_[i] = true;
        first[i] = first[i].value_or(*value);
      }
    }
  }

  [[nodiscard]] std::optional<double> sum(const TelemetrySample& sample) const {
    std::optional<double> total;
    for (size_t i = 0; i < tells_.size(); ++i) {
      if (!tells_[i]) continue;
      if (i >= sample.gpus.size() || !(sample.gpus[i].*member_)) return std::nullopt;
      total = total.value_or(0) + *(sample.gpus[i].*member_);
    }
    return total;
  }
  [[nodiscard]] size_t count() const {
    return static_cast<size_t>(std::count(tells_.begin(), tells_.end(), true));
  }

 private:
  std::optional<double> GpuSample::*member_;
  std::vector<bool> tells_;
};

/// Between readings: some sensors are asked more seldom than the machine is sampled.
template <class Reading>
double usual_interval_ns(const TelemetryStream& stream, const Reading& reading) {
  std::vector<int64_t> intervals;
  std::optional<int64_t> last;
  for (const TelemetrySample& sample : stream.samples) {
    if (!reading(sample)) continue;
    if (last) intervals.push_back(sample.at_ns - *last);
    last = sample.at_ns;
  }
  if (intervals.empty()) return 0;
  const auto middle = intervals.begin() + std::ssize(intervals) / 2;
  std::nth_element(intervals.begin(), middle, intervals.end());
  return static_cast<double>(*middle);
}

}  // namespace

std::string_view domain_name(EnergyDomain domain) {
  return domain == EnergyDomain::kGpus ? "gpu" : "cpu_pkg";
}

std::vector<Span> joined(std::vector<Span> spans) {
  std::sort(spans.begin(), spans.end(),
            [](const Span& a, const Span& b) { return a.from_ns < b.from_ns; });
  std::vector<Span> out;
  for (const Span& span : spans) {
    if (span.to_ns <= span.from_ns) continue;
    if (!out.empty() && span.from_ns <= out.back().to_ns) {
      out.back().to_ns = std::max(out.back().to_ns, span.to_ns);
    } else {
      out.push_back(span);
    }
  }
  return out;
}

double seconds_of(std::span<const Span> spans) {
  double seconds = 0;
  for (const Span& span : spans) seconds += static_cast<double>(span.to_ns - span.from_ns) * kNs;
  return seconds;
}

EnergyMeter::EnergyMeter(const TelemetryStream& stream, EnergyDomain domain) {
  const Cards energy(stream, &GpuSample::energy_j, true);
  const Cards power(stream, &GpuSample::power_w, false);
  const bool gpus = domain == EnergyDomain::kGpus;
  // A counter that not every card has would leave out the others'.
  const bool counter = !gpus || (energy.count() > 0 && energy.count() >= power.count());
  const auto reading = [&](const TelemetrySample& sample) {
    return !gpus ? sample.cpu_energy_j : (counter ? energy : power).sum(sample);
  };
  const double period_ns = std::max(1e9 / stream.rate_hz, usual_interval_ns(stream, reading));
  reach_ns_ = kReach * period_ns;
  const double longest_ns = (counter ? kMaxCounterGap : kMaxSampleGap) * period_ns;
  std::optional<double> before;
  for (const TelemetrySample& sample : stream.samples) {
    const auto now = reading(sample);
    if (!now) continue;
    Point point{sample.at_ns, 0, false};
    if (before) {
      const Point& last = points_.back();
      const auto ns = static_cast<double>(sample.at_ns - last.at_ns);
      const double joules = counter ? *now - *before : (*now + *before) / 2 * ns * kNs;
      // A counter that ran backwards began anew.
      point.joined = !sample.begins && joules >= 0 && ns <= longest_ns;
      point.joules = last.joules + std::max(0.0, joules);
    }
    before = now;
    points_.push_back(point);
  }
}

// Before the first reading and after the last the nearest interval's power speaks.
std::optional<double> EnergyMeter::joules_at(int64_t at_ns) const {
  if (points_.size() < 2) return std::nullopt;
  auto after = std::lower_bound(points_.begin(), points_.end(), at_ns,
                                [](const Point& point, int64_t at) { return point.at_ns < at; });
  if (after == points_.begin()) ++after;
  if (after == points_.end()) --after;
  const Point& from = *(after - 1);
  const Point& to = *after;
  const auto outside =
      static_cast<double>(std::max({int64_t{0}, from.at_ns - at_ns, at_ns - to.at_ns}));
  if (!to.joined || outside > reach_ns_) return std::nullopt;
  const double share =
      static_cast<double>(at_ns - from.at_ns) / static_cast<double>(to.at_ns - from.at_ns);
  return from.joules + share * (to.joules - from.joules);
}

bool EnergyMeter::is_joined(const Span& span) const {
  auto point = std::upper_bound(points_.begin(), points_.end(), span.from_ns,
                                [](int64_t at, const Point& p) { return at < p.at_ns; });
  if (point == points_.begin() && point != points_.end()) ++point;
  for (; point != points_.end(); ++point) {
    if (!point->joined) return false;
    if (point->at_ns >= span.to_ns) break;
  }
  return true;
}

std::optional<double> EnergyMeter::joules(std::span<const Span> spans) const {
  double total = 0;
  for (const Span& span : spans) {
    const auto from = joules_at(span.from_ns);
    const auto to = joules_at(span.to_ns);
    if (!from || !to || !is_joined(span)) return std::nullopt;
    total += *to - *from;
  }
  return spans.empty() ? std::nullopt : std::optional(total);
}

std::optional<double> idle_power_w(const TelemetryStream& stream, EnergyDomain domain,
                                   int64_t first_call_ns) {
  if (stream.samples.empty()) return std::nullopt;
  // The first sample speaks for the period before it.
  const auto period_ns = std::llround(1e9 / stream.rate_hz);
  const Span rest{stream.samples.front().at_ns - period_ns, first_call_ns};
  const double seconds = seconds_of({&rest, 1});
  if (seconds < kIdleSeconds - kIdleSlack) return std::nullopt;
  const auto joules = EnergyMeter(stream, domain).joules({&rest, 1});
  if (!joules) return std::nullopt;
  return *joules / seconds;
}

}  // namespace assay
