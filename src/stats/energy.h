#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "model/telemetry.h"

namespace assay {

/// A stretch of a run, nanoseconds since its start.
struct Span {
  int64_t from_ns = 0;
  int64_t to_ns = 0;
};

/// What a figure of energy is about. Domains are never compared or added: a package is no card.
enum class EnergyDomain : uint8_t { kCpuPackages, kGpus };
std::string_view domain_name(EnergyDomain domain);  ///< `cpu_pkg`, `gpu`

/// The spans in order, overlapping ones joined.
std::vector<Span> joined(std::vector<Span> spans);
double seconds_of(std::span<const Span> spans);

/// The energy of one domain of a machine, over any stretch that was sampled. By the domain's
/// counter where there is one, linear between samples; else the trapezoid of its power. Of several
/// cards those count that ever tell, and all of them have to.
class EnergyMeter {
 public:
  EnergyMeter(const TelemetryStream& stream, EnergyDomain domain);

  /// Joules over spans that do not overlap. Absent without spans, where a span reaches more than
  /// kReach periods beyond the readings, or holds a hole of more than kMaxSampleGap periods,
  /// of a counter kMaxCounterGap. A period is the samples', or the readings' own usual one where it
  /// is longer.
  [[nodiscard]] std::optional<double> joules(std::span<const Span> spans) const;

 private:
  /// Energy since the first reading.
  struct Point {
    int64_t at_ns = 0;
    double joules = 0;
    bool joined = false;  ///< The time since the point before is known.
  };
  [[nodiscard]] std::optional<double> joules_at(int64_t at_ns) const;
  [[nodiscard]] bool is_joined(const Span& span) const;

  std::vector<Point> points_;
  double reach_ns_ = 0;
};
inline constexpr double kReach = 1.5;
inline constexpr double kMaxSampleGap = 5;
/// Of a counter, which knows what it held: a long run's file keeps every tenth sample.
inline constexpr double kMaxCounterGap = 12;

/// Mean power before the first call was taken up, in watts: from the first sample on. Absent
/// below kIdleSeconds of it, less kIdleSlack.
std::optional<double> idle_power_w(const TelemetryStream& stream, EnergyDomain domain,
                                   int64_t first_call_ns);
inline constexpr double kIdleSeconds = 10;
/// Seconds that may be missing: sensors are opened while --idle 10s has begun.
inline constexpr double kIdleSlack = 0.5;

}  // namespace assay
