#include "stats/machine_samples.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace assay {
namespace {

constexpr double kNs = 1e-9;
/// A container held back for less of the time than this ran freely.
constexpr double kHeldBack = 0.01;
constexpr size_t kMinForEvidence = 6;

using Samples = std::vector<TelemetrySample>;

/// A sample speaks for the time since the one before; the first for a period.
Span time_of(const TelemetryStream& stream, size_t index) {
  const int64_t at = stream.samples[index].at_ns;
  const auto period = std::llround(1e9 / stream.rate_hz);
  return {index > 0 ? stream.samples[index - 1].at_ns : at - period, at};
}

/// Calls `visit(index, seconds)` for each sample that speaks for part of a span.
template <class Visit>
void visit_samples(const TelemetryStream& stream, const Span& span, Visit&& visit) {
  const Samples& samples = stream.samples;
  auto first = std::upper_bound(samples.begin(), samples.end(), span.from_ns,
                                [](int64_t at, const TelemetrySample& s) { return at < s.at_ns; });
  for (auto at = static_cast<size_t>(first - samples.begin()); at < samples.size(); ++at) {
    const Span mine = time_of(stream, at);
    if (mine.from_ns >= span.to_ns) return;
    const int64_t shared = std::min(mine.to_ns, span.to_ns) - std::max(mine.from_ns, span.from_ns);
    if (shared > 0) visit(at, static_cast<double>(shared) * kNs);
  }
}

/// A mean over time.
class Mean {
 public:
  void add(const std::optional<double>& value, double seconds) {
    if (!value) return;
    sum_ += *value * seconds;
    seconds_ += seconds;
  }
  [[nodiscard]] std::optional<double> value() const {
    if (seconds_ <= 0) return std::nullopt;
    return sum_ / seconds_;
  }

 private:
  double sum_ = 0;
  double seconds_ = 0;
};

void raise(std::optional<double>& peak, const std::optional<double>& value) {
  if (value) peak = std::max(peak.value_or(*value), *value);
}

void add_word(std::string_view word, std::vector<std::string>& words) {
  if (std::find(words.begin(), words.end(), word) == words.end()) words.emplace_back(word);
}

/// Time by bands of heat.
class Heat {
 public:
  explicit Heat(const HeatBands& bands) : bands_(bands) {}
  void add(const std::optional<double>& celsius, double seconds) {
    if (!celsius) return;
    seconds_[heat_band_of(*celsius, bands_)] += seconds;
    warmth_[static_cast<size_t>(warmth_of(*celsius, bands_))] += seconds;
    total_ += seconds;
  }
  [[nodiscard]] std::optional<HeatShares> shares() const {
    if (total_ <= 0) return std::nullopt;
    HeatShares shares;
    for (size_t i = 0; i < seconds_.size(); ++i) shares.share[i] = seconds_[i] / total_;
    for (const Warmth warmth : {Warmth::kCool, Warmth::kWarm, Warmth::kHot}) {
      const double share = warmth_[static_cast<size_t>(warmth)] / total_;
      if (share <= 0) continue;
      shares.hottest = warmth;
      shares.hottest_share = share;
    }
    return shares;
  }

 private:
  const HeatBands& bands_;
  std::array<double, kHeatBands> seconds_{};
  std::array<double, 3> warmth_{};
  double total_ = 0;
};

/// Clocks and temperatures of the processor and the cards before and after.
class Devices {
 public:
  explicit Devices(const TelemetryStream& stream)
      : sides_(static_cast<size_t>(std::max<int64_t>(0, stream.gpus)) + 1) {}

  /// `side`: 0 before, 1 after.
  void add(const TelemetrySample& sample, size_t side, double seconds) {
    sides_[0].clock[side].add(sample.cpu_mhz, seconds);
    sides_[0].heat[side].add(sample.cpu_temperature_c, seconds);
    for (size_t gpu = 0; gpu < std::min(sample.gpus.size(), sides_.size() - 1); ++gpu) {
      sides_[gpu + 1].clock[side].add(sample.gpus[gpu].mhz, seconds);
      sides_[gpu + 1].heat[side].add(sample.gpus[gpu].temperature_c, seconds);
    }
  }

  [[nodiscard]] std::vector<DeviceCourse> courses() const {
    std::vector<DeviceCourse> courses;
    for (size_t i = 0; i < sides_.size(); ++i) {
      const Sides& of = sides_[i];
      DeviceCourse course{i == 0 ? "CPU" : fmt::format("GPU {}", i - 1), of.clock[0].value(),
                          of.clock[1].value(), of.heat[0].value(), of.heat[1].value()};
      const bool clock = course.mhz_before && course.mhz_after;
      const bool heat = course.temperature_before_c && course.temperature_after_c;
      if (!clock) course.mhz_before = course.mhz_after = std::nullopt;
      if (!heat) course.temperature_before_c = course.temperature_after_c = std::nullopt;
      if (clock || heat) courses.push_back(std::move(course));
    }
    std::stable_sort(courses.begin(), courses.end(),
                     [](const DeviceCourse& a, const DeviceCourse& b) {
                       return clock_ratio(a) < clock_ratio(b);
                     });
    return courses;
  }

 private:
  struct Sides {
    Mean clock[2];
    Mean heat[2];
  };
  static double clock_ratio(const DeviceCourse& course) {
    return course.mhz_before.value_or(0) > 0 ? *course.mhz_after / *course.mhz_before : 1;
  }

  std::vector<Sides> sides_;  ///< The processor's, then each card's.
};

/// The last third of the samples against the first; empty where there are too few.
std::vector<DeviceCourse> thirds_of(const TelemetryStream& stream, std::span<const Span> spans) {
  std::vector<size_t> indices;
  for (const Span& span : spans) {
    visit_samples(stream, span, [&](size_t index, double) {
      if (indices.empty() || indices.back() < index) indices.push_back(index);
    });
  }
  if (indices.size() < kMinForEvidence) return {};
  const size_t third = indices.size() / 3;
  Devices devices(stream);
  for (size_t i = 0; i < indices.size(); ++i) {
    if (i >= third && i < indices.size() - third) continue;
    devices.add(stream.samples[indices[i]], i < third ? 0 : 1, 1);
  }
  return devices.courses();
}

bool is_heat_evidence(const DeviceCourse& course) {
  return course.mhz_before && course.temperature_before_c &&
         *course.mhz_after <= (1 - kClockFall) * *course.mhz_before &&
         *course.temperature_after_c >= *course.temperature_before_c + kTemperatureRise;
}

}  // namespace

const TelemetryStream* stream_of(std::span<const TelemetryStream> streams,
                                 std::string_view cell_id) {
  for (const TelemetryStream& stream : streams) {
    const auto& cells = stream.cells;
    if (std::find(cells.begin(), cells.end(), cell_id) != cells.end()) return &stream;
  }
  return nullptr;
}

void add_levels(const TelemetryStream& stream, std::span<const Span> spans, const HeatBands& bands,
                LegTelemetry& out) {
  Mean cpu, clock, steal, disk_read, gpu, gpu_clock, capped;
  Heat cpu_heat(bands);
  Heat gpu_heat(bands);
  for (const Span& span : spans) {
    visit_samples(stream, span, [&](size_t index, double seconds) {
      const TelemetrySample& sample = stream.samples[index];
      ++out.samples;
      cpu.add(sample.cpu_percent, seconds);
      clock.add(sample.cpu_mhz, seconds);
      steal.add(sample.steal_percent, seconds);
      disk_read.add(sample.disk_read_bytes_per_s, seconds);
      raise(out.peak_swap_used_bytes, sample.swap_used_bytes);
      raise(out.peak_cpu_temperature_c, sample.cpu_temperature_c);
      cpu_heat.add(sample.cpu_temperature_c, seconds);
      raise(out.peak_engine_memory_bytes, sample.engine_memory_bytes);
      std::optional<double> memory;
      std::optional<double> hottest;
      for (const GpuSample& card : sample.gpus) {
        gpu.add(card.percent, seconds);
        gpu_clock.add(card.mhz, seconds);
        raise(hottest, card.temperature_c);
        if (card.memory_used_bytes) memory = memory.value_or(0) + *card.memory_used_bytes;
        if (!card.throttle) continue;
        const bool at_limit = (static_cast<unsigned>(*card.throttle) & throttle::kPowerCap) != 0;
        capped.add(at_limit ? 1 : 0, seconds);
      }
      raise(out.peak_gpu_memory_bytes, memory);
      raise(out.peak_gpu_temperature_c, hottest);
      gpu_heat.add(hottest, seconds);
    });
  }
  out.cpu_percent = cpu.value();
  out.cpu_mhz = clock.value();
  out.steal_percent = steal.value();
  out.disk_read_bytes_per_s = disk_read.value();
  out.gpu_percent = gpu.value();
  out.gpu_mhz = gpu_clock.value();
  out.power_capped_share = capped.value();
  out.cpu_heat = cpu_heat.shares();
  out.gpu_heat = gpu_heat.shares();
}

std::vector<std::string> throttled_in(const TelemetryStream& stream, const Span& span) {
  std::vector<std::string> words;
  visit_samples(stream, span, [&](size_t index, double) {
    const TelemetrySample& now = stream.samples[index];
    for (const GpuSample& card : now.gpus) {
      const unsigned bits = static_cast<unsigned>(card.throttle.value_or(0));
      if ((bits & throttle::kThermal) != 0) add_word("gpu: thermal", words);
      if ((bits & throttle::kHardware) != 0) add_word("gpu: hardware slowdown", words);
    }
    if (index == 0 || now.begins) return;
    const TelemetrySample& before = stream.samples[index - 1];
    if (now.cpu_throttle_events && before.cpu_throttle_events &&
        *now.cpu_throttle_events > *before.cpu_throttle_events) {
      add_word("cpu: thermal", words);
    }
    const double seconds = static_cast<double>(now.at_ns - before.at_ns) * kNs;
    if (now.cgroup_throttled_s && before.cgroup_throttled_s &&
        *now.cgroup_throttled_s - *before.cgroup_throttled_s > kHeldBack * seconds) {
      add_word("container: CPU limit", words);
    }
  });
  return words;
}

std::string heat_evidence(const TelemetryStream& stream, std::span<const Span> spans) {
  std::vector<std::string> parts;
  for (const DeviceCourse& course : thirds_of(stream, spans)) {
    if (!is_heat_evidence(course) || parts.size() == kMostDevices) continue;
    parts.push_back(fmt::format(
        "the clock of the {} from {:.0f} to {:.0f} MHz while it went from {:.0f} to {:.0f} °C",
        course.device, *course.mhz_before, *course.mhz_after, *course.temperature_before_c,
        *course.temperature_after_c));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string course_evidence(const TelemetryStream& stream, std::span<const Span> spans) {
  std::vector<std::string> devices;
  for (const DeviceCourse& course : thirds_of(stream, spans)) {
    if (devices.size() == kMostDevices) break;
    std::vector<std::string> parts;
    if (course.mhz_before) {
      parts.push_back(
          fmt::format("from {:.0f} to {:.0f} MHz", *course.mhz_before, *course.mhz_after));
    }
    if (course.temperature_before_c) {
      parts.push_back(fmt::format("from {:.0f} to {:.0f} °C", *course.temperature_before_c,
                                  *course.temperature_after_c));
    }
    devices.push_back(fmt::format("the {} {}{}", course.device, devices.empty() ? "went " : "",
                                  fmt::join(parts, " and ")));
  }
  if (devices.empty()) return {};
  return fmt::format("meanwhile {}", fmt::join(devices, ", "));
}

std::vector<DeviceCourse> device_courses(const TelemetryStream& stream, const Span& before,
                                         const Span& after) {
  Devices devices(stream);
  size_t side = 0;
  for (const Span* span : {&before, &after}) {
    visit_samples(stream, *span, [&](size_t index, double seconds) {
      devices.add(stream.samples[index], side, seconds);
    });
    ++side;
  }
  return devices.courses();
}

}  // namespace assay
