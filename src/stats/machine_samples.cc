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

/// Clock and temperature at the beginning and at the end.
struct Thirds {
  Mean clock[2];
  Mean temperature[2];
};

/// The first of the processor, then of each card; empty where there are too few samples.
std::vector<Thirds> thirds_of(const TelemetryStream& stream, std::span<const Span> spans) {
  std::vector<size_t> indices;
  for (const Span& span : spans) {
    visit_samples(stream, span, [&](size_t index, double) {
      if (indices.empty() || indices.back() < index) indices.push_back(index);
    });
  }
  if (indices.size() < kMinForEvidence) return {};
  const size_t third = indices.size() / 3;
  std::vector<Thirds> thirds(static_cast<size_t>(std::max<int64_t>(0, stream.gpus)) + 1);
  for (size_t i = 0; i < indices.size(); ++i) {
    if (i >= third && i < indices.size() - third) continue;
    const size_t side = i < third ? 0 : 1;
    const TelemetrySample& sample = stream.samples[indices[i]];
    thirds[0].clock[side].add(sample.cpu_mhz, 1);
    thirds[0].temperature[side].add(sample.cpu_temperature_c, 1);
    for (size_t gpu = 0; gpu < std::min(sample.gpus.size(), thirds.size() - 1); ++gpu) {
      thirds[gpu + 1].clock[side].add(sample.gpus[gpu].mhz, 1);
      thirds[gpu + 1].temperature[side].add(sample.gpus[gpu].temperature_c, 1);
    }
  }
  return thirds;
}

std::string evidence_of(const Thirds& thirds, std::string_view what) {
  const auto clock0 = thirds.clock[0].value();
  const auto clock1 = thirds.clock[1].value();
  const auto heat0 = thirds.temperature[0].value();
  const auto heat1 = thirds.temperature[1].value();
  if (!clock0 || !clock1 || !heat0 || !heat1) return {};
  if (*clock1 > (1 - kClockFall) * *clock0 || *heat1 < *heat0 + kTemperatureRise) return {};
  return fmt::format("{} from {:.0f} to {:.0f} MHz while it went from {:.0f} to {:.0f} °C", what,
                     *clock0, *clock1, *heat0, *heat1);
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
  Mean cpu, clock, gpu, gpu_clock, capped;
  Heat cpu_heat(bands);
  Heat gpu_heat(bands);
  for (const Span& span : spans) {
    visit_samples(stream, span, [&](size_t index, double seconds) {
      const TelemetrySample& sample = stream.samples[index];
      ++out.samples;
      cpu.add(sample.cpu_percent, seconds);
      clock.add(sample.cpu_mhz, seconds);
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
  const std::vector<Thirds> thirds = thirds_of(stream, spans);
  for (size_t i = 0; i < thirds.size(); ++i) {
    const std::string what =
        i == 0 ? "the processor's clock" : fmt::format("the clock of gpu{}", i - 1);
    if (auto evidence = evidence_of(thirds[i], what); !evidence.empty()) return evidence;
  }
  return {};
}

std::string course_evidence(const TelemetryStream& stream, std::span<const Span> spans) {
  const std::vector<Thirds> thirds = thirds_of(stream, spans);
  for (size_t i = 0; i < thirds.size(); ++i) {
    const std::string what = i == 0 ? "the processor" : fmt::format("gpu{}", i - 1);
    const auto clock0 = thirds[i].clock[0].value();
    const auto clock1 = thirds[i].clock[1].value();
    const auto heat0 = thirds[i].temperature[0].value();
    const auto heat1 = thirds[i].temperature[1].value();
    std::vector<std::string> parts;
    if (clock0 && clock1)
      parts.push_back(fmt::format("from {:.0f} to {:.0f} MHz", *clock0, *clock1));
    if (heat0 && heat1) parts.push_back(fmt::format("from {:.0f} to {:.0f} °C", *heat0, *heat1));
    if (!parts.empty()) {
      return fmt::format("meanwhile {} went {}", what, fmt::join(parts, " and "));
    }
  }
  return {};
}

ClockAndHeat clock_and_heat(const TelemetryStream& stream, const Span& span) {
  Mean clock, heat, card_clock, card_heat;
  visit_samples(stream, span, [&](size_t index, double seconds) {
    const TelemetrySample& sample = stream.samples[index];
    clock.add(sample.cpu_mhz, seconds);
    heat.add(sample.cpu_temperature_c, seconds);
    if (sample.gpus.empty()) return;
    card_clock.add(sample.gpus[0].mhz, seconds);
    card_heat.add(sample.gpus[0].temperature_c, seconds);
  });
  const bool of_card = !clock.value() && !heat.value();
  return of_card ? ClockAndHeat{card_clock.value(), card_heat.value()}
                 : ClockAndHeat{clock.value(), heat.value()};
}

}  // namespace assay
