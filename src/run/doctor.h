#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/enum_text.h"
#include "model/heat.h"
#include "telemetry/machine.h"

namespace assay {

/// Whether something of a machine changes figures.
enum class Health : uint8_t {
  kOk,
  kWarn,    ///< Figures suffer, or some cannot be had; the advice says what to do.
  kUnknown  ///< The machine does not tell.
};
template <>
struct EnumText<Health> {
  static constexpr std::array kNames{std::pair{Health::kOk, std::string_view("ok")},
                                     std::pair{Health::kWarn, std::string_view("warn")},
                                     std::pair{Health::kUnknown, std::string_view("unknown")}};
};

/// One thing that the doctor looked at.
struct DoctorCheck {
  std::string_view name;  ///< `governor`, `turbo`, …
  Health health = Health::kUnknown;
  std::string found;   ///< A sentence part.
  std::string advice;  ///< What to do; empty where there is nothing to do.
};

/// A machine as it is now: its sensors' newest sample and what they are about.
struct Patient {
  const MachineRoots& roots;
  const TelemetryStream& about;
  const TelemetrySample& sample;
  HeatBands bands;
};

/// Everything the doctor looks at, always in this order: governor, turbo, temperature, sensors,
/// rapl, clock_source, load, swap, gpu_users, container, open_files. Takes about half a second, in
/// which the sensors are read twice.
std::vector<DoctorCheck> examine_machine(const MachineRoots& roots, const HeatBands& bands);

/// What the checks say together: `2 things change figures here; 3 of 11 are unknown.`
std::string doctor_verdict(int64_t warnings, int64_t unknown, int64_t checks);

// Its parts. What decides how fast the processor runs, and what can be read of it.
DoctorCheck check_governor(const Patient& patient);
DoctorCheck check_turbo(const Patient& patient);
DoctorCheck check_temperature(const Patient& patient);
DoctorCheck check_sensors(const Patient& patient);
DoctorCheck check_rapl(const Patient& patient);
DoctorCheck check_clock_source(const Patient& patient);
// What others take, and what is allowed.
DoctorCheck check_load(const Patient& patient);
DoctorCheck check_swap(const Patient& patient);
DoctorCheck check_gpu_users(const Patient& patient);
DoctorCheck check_container(const Patient& patient);
DoctorCheck check_open_files(const Patient& patient);

}  // namespace assay
