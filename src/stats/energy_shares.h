#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stats/energy.h"

namespace assay {

inline constexpr std::array kEnergyDomains{EnergyDomain::kCpuPackages, EnergyDomain::kGpus};

/// One machine's meters and what it takes at rest, made once and asked for each call.
class MachineEnergy {
 public:
  /// `rest_until_ns`: when the first call was taken up.
  MachineEnergy(const TelemetryStream& stream, int64_t rest_until_ns);

  [[nodiscard]] const EnergyMeter& meter(size_t domain) const { return meters_[domain]; }
  /// Watts; absent where it is not known: idle_power_w().
  [[nodiscard]] const std::optional<double>& idle_w(size_t domain) const { return idle_w_[domain]; }

 private:
  std::array<EnergyMeter, 2> meters_;  ///< By the place in kEnergyDomains.
  std::array<std::optional<double>, 2> idle_w_;
};

/// A call's part of what its machine did while it was in flight.
struct EnergyShare {
  /// By the place in kEnergyDomains, gross; absent where part of the time is not known.
  std::array<std::optional<double>, 2> joules;
  double seconds = 0;   ///< Each moment divided by the number of calls in flight.
  bool shared = false;  ///< Another call was in flight meanwhile.
  bool mixed = false;   ///< One of another group was.
};

/// Shares each moment's energy out evenly among the calls in flight on one machine. `groups`: the
/// group of each span. One sweep over all of them: O(n log n).
std::vector<EnergyShare> share_energy(const MachineEnergy& machine, std::span<const Span> spans,
                                      std::span<const int64_t> groups);

}  // namespace assay
