#include "run/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>
#include <thread>

#include "base/text.h"
#include "telemetry/hwmon.h"
#include "telemetry/sensor_file.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  const auto text = sensor_text(file);
  return text ? printable(trim(*text), 80) : std::string();
}

bool is_there(const fs::path& file) {
  std::error_code error;
  return fs::exists(file, error);
}

/// The temperature at which the processor protects itself; absent where it does not tell.
std::optional<double> critical_c(const MachineRoots& roots) {
  constexpr double kMilli = 1e-3;
  std::optional<double> least;
  const fs::path hwmon = roots.sys / "class/hwmon";
  for (const fs::path& chip :
       chips_named(hwmon, {"coretemp", "k10temp", "zenpower", "cpu_thermal"})) {
    const auto limit = scaled(sensor_number(chip / "temp1_crit"), kMilli);
    if (limit && *limit > 0) least = std::min(least.value_or(*limit), *limit);
  }
  return least;
}

}  // namespace

DoctorCheck check_governor(const Patient& patient) {
  DoctorCheck check{"governor", Health::kUnknown, "the kernel shows no frequency governor", {}};
  std::set<std::string> governors;
  for (const fs::path& cpu : numbered(patient.roots.sys / "devices/system/cpu", "cpu")) {
    const std::string governor = text_of(cpu / "cpufreq/scaling_governor");
    if (!governor.empty()) governors.insert(governor);
  }
  if (governors.empty()) return check;
  check.found = join({governors.begin(), governors.end()}, ", ");
  const bool fast = governors.size() == 1 && governors.contains("performance");
  check.health = fast ? Health::kOk : Health::kWarn;
  if (!fast) {
    check.advice =
        "the clock follows the load, and short calls are measured while it rises: sudo cpupower "
        "frequency-set -g performance";
  }
  return check;
}

DoctorCheck check_turbo(const Patient& patient) {
  const fs::path cpu = patient.roots.sys / "devices/system/cpu";
  const auto no_turbo = sensor_number(cpu / "intel_pstate/no_turbo");
  const auto boost = sensor_number(cpu / "cpufreq/boost");
  DoctorCheck check{"turbo", Health::kUnknown, "the kernel does not tell", {}};
  if (!no_turbo && !boost) return check;
  check.health = Health::kOk;
  const bool on = no_turbo ? *no_turbo == 0 : *boost != 0;
  check.found = on ? "on: speed depends on heat" : "off";
  if (on) {
    check.advice = fmt::format(
        "for figures that repeat turn it off: echo {} | sudo tee {}; 'assay run --sustain 10m' "
        "shows what heat does",
        no_turbo ? 1 : 0,
        no_turbo ? "/sys/devices/system/cpu/intel_pstate/no_turbo"
                 : "/sys/devices/system/cpu/cpufreq/boost");
  }
  return check;
}

DoctorCheck check_temperature(const Patient& patient) {
  constexpr double kLeastRoom = 20;
  DoctorCheck check{"temperature", Health::kUnknown, "no sensor tells a temperature", {}};
  const auto hottest = hottest_of(patient.sample);
  if (!hottest) {
    const auto why = patient.about.missing.find("cpu_temperature_c");
    if (why != patient.about.missing.end()) check.found = why->second;
    return check;
  }
  const Warmth warmth = warmth_of(hottest->celsius, patient.bands);
  check.found =
      fmt::format("{}: {} at {:.0f} °C", to_text(warmth), hottest->sensor, hottest->celsius);
  std::optional<double> room;  // Of the device that has the least.
  const auto add_room = [&](const std::string& device, const std::optional<double>& celsius,
                            const std::optional<double>& limit) {
    if (!celsius || !limit) return;
    const double its_room = *limit - *celsius;
    room = std::min(room.value_or(its_room), its_room);
    check.found += fmt::format(", {} {:.0f} °C {} its limit of {:.0f} °C", device,
                               std::fabs(its_room), its_room < 0 ? "above" : "below", *limit);
  };
  add_room("the processor", patient.sample.cpu_temperature_c, critical_c(patient.roots));
  for (size_t i = 0; i < patient.sample.gpus.size(); ++i) {
    const auto fact = patient.about.facts.find(fmt::format("gpu{}_temperature_limit_c", i));
    if (fact == patient.about.facts.end()) continue;
    add_room(fmt::format("GPU {}", i), patient.sample.gpus[i].temperature_c,
             number_in(fact->second));
  }
  const bool tight = warmth == Warmth::kHot || (room && *room < kLeastRoom);
  check.health = tight ? Health::kWarn : Health::kOk;
  if (tight) {
    check.advice =
        "it will slow itself down: end what keeps it busy, let it cool, look at fans and dust; "
        "'assay run --cooldown 60C' waits before each call";
  }
  return check;
}

DoctorCheck check_sensors(const Patient& patient) {
  std::vector<std::string> told;
  std::vector<std::string> missing;
  const auto& s = patient.sample;
  const auto any = [&](std::optional<double> GpuSample::*member) {
    return std::any_of(s.gpus.begin(), s.gpus.end(),
                       [&](const GpuSample& gpu) { return (gpu.*member).has_value(); });
  };
  const auto add = [&](bool known, const char* what) {
    (known ? told : missing).emplace_back(what);
  };
  add(hottest_of(s).has_value(), "temperature");
  add(s.cpu_mhz || any(&GpuSample::mhz), "clock");
  add(power_of(s) || any(&GpuSample::energy_j) || s.cpu_energy_j, "power");
  add(s.cpu_percent.has_value(), "use");
  add(s.cpu_throttle_events || s.cgroup_throttled_s || any(&GpuSample::throttle), "throttling");
  DoctorCheck check{"sensors", missing.empty() ? Health::kOk : Health::kUnknown, {}, {}};
  check.found = told.empty() ? "none" : join(told, ", ");
  if (!missing.empty()) {
    check.found += "; not told: " + join(missing, ", ");
    check.advice = "'assay sample --for 2s' says why for each column";
  }
  return check;
}

DoctorCheck check_rapl(const Patient& patient) {
  DoctorCheck check{"rapl", Health::kUnknown, "the processor shows no energy counter", {}};
  for (const fs::path& zone : numbered(patient.roots.sys / "class/powercap", "intel-rapl:")) {
    if (text_of(zone / "name").rfind("package", 0) != 0 || !is_there(zone / "energy_uj")) continue;
    if (sensor_number(zone / "energy_uj")) {
      if (!patient.sample.cpu_power_w) {
        const auto why = patient.about.missing.find("cpu_power_w");
        if (why != patient.about.missing.end()) check.found = why->second;
        return check;
      }
      check.health = Health::kOk;
      check.found = "energy of the packages can be read";
      return check;
    }
    check.health = Health::kWarn;
    check.found = "its energy counters need rights to be read";
    check.advice =
        "J/token of the processor needs them: sudo chmod a+r "
        "/sys/class/powercap/intel-rapl:*/energy_uj (until the next boot)";
  }
  return check;
}

DoctorCheck check_clock_source(const Patient& patient) {
  DoctorCheck check{"clock_source", Health::kUnknown, "the kernel does not tell", {}};
  const fs::path folder = patient.roots.sys / "devices/system/clocksource/clocksource0";
  const std::string source = text_of(folder / "current_clocksource");
  if (source.empty()) return check;
  constexpr std::array<std::string_view, 4> kFast{"tsc", "kvm-clock", "arch_sys_counter",
                                                  "hyperv_clocksource_tsc_page"};
  const bool fast = std::find(kFast.begin(), kFast.end(), source) != kFast.end();
  check.found = source;
  check.health = fast ? Health::kOk : Health::kWarn;
  if (!fast) {
    check.advice =
        "each reading of the clock asks the kernel and costs about a microsecond: boot with "
        "tsc=reliable, or ask whoever runs the host";
  }
  return check;
}

std::vector<DoctorCheck> examine_machine(const MachineRoots& roots, const HeatBands& bands) {
  constexpr std::chrono::milliseconds kApart{400};  // Use and power are over time.
  Machine machine(roots, mono_now_ns());
  std::this_thread::sleep_for(kApart);
  const TelemetrySample sample = machine.sample(mono_now_ns(), {});
  const Patient patient{roots, machine.about(), sample, bands};
  std::vector<DoctorCheck> checks;
  for (const auto check : {check_governor, check_turbo, check_temperature, check_sensors,
                           check_rapl, check_clock_source, check_load, check_swap, check_gpu_users,
                           check_container, check_open_files}) {
    checks.push_back(check(patient));
  }
  return checks;
}

std::string doctor_verdict(int64_t warnings, int64_t unknown, int64_t checks) {
  if (unknown == checks) return "Nothing could be seen: this machine tells none of it.";
  const std::string unseen =
      unknown > 0 ? fmt::format("; {} of {} are unknown", unknown, checks) : std::string();
  if (warnings > 0) {
    return fmt::format("{} {} figures here{}.", warnings,
                       warnings == 1 ? "thing changes" : "things change", unseen);
  }
  return fmt::format("Nothing {} keeps figures from being right{}.",
                     unknown > 0 ? "that could be seen" : "here", unseen);
}

}  // namespace assay
