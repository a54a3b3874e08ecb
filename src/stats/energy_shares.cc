#include "stats/energy_shares.h"

#include <algorithm>
#include <unordered_map>

namespace assay {
namespace {

/// A call begins or ends.
struct Change {
  int64_t at_ns = 0;
  size_t call = 0;
  bool begins = false;
};

/// What one call would have got, had it been in flight from the start on.
struct Sums {
  double seconds = 0;
  std::array<double, 2> joules{};
  std::array<int64_t, 2> unknown{};  ///< Stretches whose energy is not known.
  int64_t shared = 0;                ///< Stretches with several calls.
  int64_t mixed = 0;                 ///< Stretches with calls of several groups.
};

std::vector<Change> changes_of(std::span<const Span> spans) {
  std::vector<Change> changes;
  changes.reserve(2 * spans.size());
  for (size_t i = 0; i < spans.size(); ++i) {
    if (spans[i].to_ns <= spans[i].from_ns) continue;
    changes.push_back({spans[i].from_ns, i, true});
    changes.push_back({spans[i].to_ns, i, false});
  }
  std::sort(changes.begin(), changes.end(),
            [](const Change& a, const Change& b) { return a.at_ns < b.at_ns; });
  return changes;
}

/// Adds a stretch between two changes.
void add_stretch(const MachineEnergy& machine, const Span& stretch, int64_t in_flight,
                 size_t groups, Sums& sums) {
  const auto calls = static_cast<double>(in_flight);
  sums.seconds += seconds_of({&stretch, 1}) / calls;
  for (size_t domain = 0; domain < kEnergyDomains.size(); ++domain) {
    const auto joules = machine.meter(domain).joules({&stretch, 1});
    if (joules) sums.joules[domain] += *joules / calls;
    if (!joules) ++sums.unknown[domain];
  }
  if (in_flight > 1) ++sums.shared;
  if (groups > 1) ++sums.mixed;
}

EnergyShare between(const Sums& begin, const Sums& end) {
  EnergyShare share;
  share.seconds = end.seconds - begin.seconds;
  share.shared = end.shared > begin.shared;
  share.mixed = end.mixed > begin.mixed;
  for (size_t domain = 0; domain < kEnergyDomains.size(); ++domain) {
    if (end.unknown[domain] > begin.unknown[domain]) continue;
    share.joules[domain] = end.joules[domain] - begin.joules[domain];
  }
  return share;
}

}  // namespace

MachineEnergy::MachineEnergy(const TelemetryStream& stream, int64_t rest_until_ns)
    : meters_{EnergyMeter(stream, kEnergyDomains[0]), EnergyMeter(stream, kEnergyDomains[1])} {
  for (size_t domain = 0; domain < kEnergyDomains.size(); ++domain) {
    idle_w_[domain] = idle_power_w(stream, kEnergyDomains[domain], rest_until_ns);
  }
}

std::vector<EnergyShare> share_energy(const MachineEnergy& machine, std::span<const Span> spans,
                                      std::span<const int64_t> groups) {
  std::vector<EnergyShare> shares(spans.size());
  for (EnergyShare& share : shares) share.joules = {0.0, 0.0};  // Of a call that took no time.
  std::vector<Sums> begun(spans.size());
  std::unordered_map<int64_t, int64_t> by_group;  // Calls in flight; no entry: none.
  Sums sums;
  int64_t in_flight = 0;
  int64_t since = 0;
  for (const Change& change : changes_of(spans)) {
    if (in_flight > 0 && change.at_ns > since) {
      add_stretch(machine, {since, change.at_ns}, in_flight, by_group.size(), sums);
    }
    since = change.at_ns;
    const int64_t group = groups[change.call];
    if (change.begins) {
      begun[change.call] = sums;
      ++in_flight;
      ++by_group[group];
    } else {
      shares[change.call] = between(begun[change.call], sums);
      --in_flight;
      if (--by_group[group] == 0) by_group.erase(group);
    }
  }
  return shares;
}

}  // namespace assay
