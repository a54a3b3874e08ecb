#include "run/machine_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "base/text.h"
#include "model/cooldown.h"
#include "model/heat.h"
#include "run/environment.h"
#include "run/run_telemetry.h"
#include "telemetry/machine.h"

namespace assay {
namespace {

/// The options that look at this machine and were asked for.
struct Wanted {
  std::vector<std::string> options;
  bool temperature = false;
  bool power = false;
};

Wanted wanted_of(const RunSpec& spec) {
  Wanted wanted;
  const auto cooldown = parse_cooldown(spec.cooldown);
  if (cooldown && cooldown->by_temperature()) {
    wanted.options.emplace_back("--cooldown by temperature");
    wanted.temperature = true;
  }
  if (!spec.max_temp.empty()) {
    wanted.options.emplace_back("--max-temp");
    wanted.temperature = true;
  }
  if (!spec.max_power.empty()) {
    wanted.options.emplace_back("--max-power");
    wanted.power = true;
  }
  if (spec.busy_timeout.count() > 0) wanted.options.emplace_back("--busy-timeout");
  return wanted;
}

std::string reason_of(const TelemetryStream& about, const std::string& column) {
  const auto found = about.missing.find(column);
  return found == about.missing.end() ? "no sensor was found" : found->second;
}

/// What the engines here take of all logical processors when they work: as they tell their threads,
/// else half, since most take one thread a core and many cores are two logical processors.
double cpu_share_of(const RunMeta& meta, const std::set<std::string>& local) {
  const auto cores = static_cast<double>(std::max<int64_t>(1, core_count()));
  double least = 1;
  for (const Cell& cell : meta.cells) {
    if (!local.contains(cell.id)) continue;
    const double share = cell.threads ? static_cast<double>(*cell.threads) / cores : 0.5;
    least = std::min(least, share);
  }
  return least;
}

/// Those that no --sample-node names and whose address leads here.
std::set<std::string> local_cells(const RunSpec& spec, const RunMeta& meta) {
  std::vector<std::string> nodes;
  for (const std::string& node : spec.sample_nodes) nodes.push_back(node.substr(0, node.find('=')));
  const SampledCells cells = sampled_cells(meta, nodes);
  return {cells.local.begin(), cells.local.end()};
}

}  // namespace

double sampling_rate(const RunSpec& spec) {
  const Wanted wanted = wanted_of(spec);
  const bool guarded = wanted.temperature || wanted.power;
  return guarded && spec.sample_rate > 0 ? std::max(spec.sample_rate, kGuardedRate)
                                         : spec.sample_rate;
}

Result<void> check_guard_sensors(const RunSpec& spec) {
  const Wanted wanted = wanted_of(spec);
  if (!wanted.temperature && !wanted.power) return {};
  constexpr std::chrono::milliseconds kApart{100};  // Power is energy over time.
  Machine machine(machine_roots(), mono_now_ns());
  if (wanted.power) std::this_thread::sleep_for(kApart);
  const TelemetrySample sample = machine.sample(mono_now_ns(), {});
  const std::string hint = "'assay doctor' shows what this machine tells";
  if (wanted.temperature && !hottest_of(sample)) {
    return fail(Errc::kInvalidArgument,
                fmt::format("{}: this machine shows no temperature: {}", wanted.options.front(),
                            reason_of(machine.about(), "cpu_temperature_c")),
                hint + "; --cooldown takes a time, too, such as 10s");
  }
  if (wanted.power && !power_of(sample)) {
    return fail(Errc::kInvalidArgument,
                fmt::format("--max-power: this machine shows no power: {}",
                            reason_of(machine.about(), "cpu_power_w")),
                hint);
  }
  return {};
}

Result<void> check_guard_cells(const RunSpec& spec, const std::vector<Cell>& cells) {
  const Wanted wanted = wanted_of(spec);
  if (wanted.options.empty()) return {};
  RunMeta meta;
  meta.cells = cells;
  if (!local_cells(spec, meta).empty()) return {};
  return fail(Errc::kInvalidArgument,
              fmt::format("{}: the sensors of this machine decide, and the engine runs on another "
                          "one",
                          join(wanted.options, ", ")),
              "run assay on the engine's machine, or leave the options out");
}

std::string beyond_limits(const RunSpec& spec, const MachineReadings& readings, MonoNs now) {
  const auto blind = [&](const char* limit, const std::vector<SensorReading>& sensors) {
    const std::string why = blindness(readings, sensors, now);
    return why.empty() ? why : fmt::format("{}: guard_blind: {}", limit, why);
  };
  if (!spec.max_temp.empty()) {
    const auto limit = parse_celsius(spec.max_temp);
    const auto hottest = hottest_of(readings, now);
    if (limit && hottest && hottest->value > *limit) {
      return fmt::format("max_temp: the {} is at {:.0f} °C{}, above {:g} °C", hottest->sensor,
                         hottest->value, age_text(*hottest, now), *limit);
    }
    if (auto why = blind("max_temp", readings.temperatures); !why.empty()) return why;
  }
  if (!spec.max_power.empty()) {
    const auto limit = parse_watts(spec.max_power);
    const auto watts = power_of(readings.sample);
    if (limit && watts && *watts > *limit) {
      return fmt::format("max_power: the machine takes {:.0f} W, above {:g} W", *watts, *limit);
    }
    return blind("max_power", readings.powers);
  }
  return {};
}

void BusyMachine::see(const TelemetrySample& sample, MonoNs at) {
  const bool card = std::any_of(sample.gpus.begin(), sample.gpus.end(), [](const GpuSample& gpu) {
    return gpu.percent.value_or(0) >= 100 * kBusyShare;
  });
  const bool busy =
      card || sample.cpu_percent.value_or(0) >= 100 * kBusyShare * std::min(1.0, cpu_share_);
  if (!busy) {
    since_.reset();
  } else if (!since_) {
    since_ = last_.value_or(at);
  }
  last_ = at;
}

MachineGuard::MachineGuard(const RunSpec& spec, const RunMeta& meta)
    : spec_(spec),
      meta_(meta),
      local_(local_cells(spec, meta)),
      busy_(cpu_share_of(meta, local_)) {}

std::string MachineGuard::look(const std::optional<MachineReadings>& latest,
                               const InFlight& in_flight) {
  if (!latest) {
    MachineReadings none;
    none.began = none.at = began_;
    return beyond_limits(spec_, none, mono_now_ns());
  }
  if (latest->at != seen_) busy_.see(latest->sample, latest->at);
  seen_ = latest->at;
  const MonoNs now = mono_now_ns();
  const auto since = busy_.since();
  const MonoNs limit = spec_.busy_timeout.count();
  if (limit > 0 && since) {
    for (const auto& [index, watch] : in_flight.watches()) {
      if (index < 0 || watch->silent_since() == 0) continue;
      const Leg& leg = meta_.legs[static_cast<size_t>(meta_.calls[static_cast<size_t>(index)].leg)];
      if (!local_.contains(meta_.cells[static_cast<size_t>(leg.cell)].id)) continue;
      if (now - std::max(*since, watch->silent_since()) >= limit) watch->too_busy();
    }
  }
  return beyond_limits(spec_, *latest, now);
}

}  // namespace assay
