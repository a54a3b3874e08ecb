#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "model/options.h"
#include "model/run.h"
#include "model/telemetry.h"
#include "run/in_flight.h"
#include "run/machine_readings.h"

namespace assay {

/// Samples a second where a temperature or a power decides, so that it does within a second.
inline constexpr double kGuardedRate = 2;
/// The rate at which this machine is sampled: --sample-rate, or more where a limit wants it.
double sampling_rate(const RunSpec& spec);

/// Whether this machine has the sensors that --cooldown, --max-temp, --max-power and --busy-timeout
/// go by. Reads them once. kInvalidArgument names what is missing and why.
Result<void> check_guard_sensors(const RunSpec& spec);
/// The same options look at this machine: kInvalidArgument where the engine of none of `cells` runs
/// on it.
Result<void> check_guard_cells(const RunSpec& spec, const std::vector<Cell>& cells);

/// What the machine did wrong, in words: `max_temp: the CPU is at 93 °C, above 90 °C`. Empty while
/// it is within --max-temp and --max-power. Where a sensor that told before tells no more nobody
/// knows whether it is, and that is beyond them: `max_temp: guard_blind: …`.
std::string beyond_limits(const RunSpec& spec, const MachineReadings& readings, MonoNs now);

/// Since when the machine has been busy without a pause: a card at kBusyShare or more, or as many
/// logical processors together as the engine has threads.
class BusyMachine {
 public:
  /// `cpu_share`: of all logical processors, what an engine at work takes.
  explicit BusyMachine(double cpu_share) : cpu_share_(cpu_share) {}
  /// A sample, which speaks for the time since the one before. `at` is its instant.
  void see(const TelemetrySample& sample, MonoNs at);
  [[nodiscard]] std::optional<MonoNs> since() const { return since_; }

 private:
  double cpu_share_;
  std::optional<MonoNs> since_;
  std::optional<MonoNs> last_;
};
inline constexpr double kBusyShare = 0.95;

/// Looks at the machine a few times a second while calls are in flight. Load thread only.
class MachineGuard {
 public:
  /// Both outlive it.
  MachineGuard(const RunSpec& spec, const RunMeta& meta);

  /// Gives up calls that have been without a token for --busy-timeout on a machine that was busy
  /// all the time. Returns why the run has to stop; empty when it goes on.
  std::string look(const std::optional<MachineReadings>& latest, const InFlight& in_flight);

 private:
  const RunSpec& spec_;
  const RunMeta& meta_;
  std::set<std::string> local_;  ///< Cells whose engine runs on this machine.
  BusyMachine busy_;
  MonoNs seen_ = INT64_MIN;
  const MonoNs began_ = mono_now_ns();
};

}  // namespace assay
