#include "run/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run/model_registry.h"
#include "unit/telemetry/recorded_machine.h"

namespace assay {
namespace {

using testing::HasSubstr;

DoctorCheck check_of(const RecordedMachine& recorded, std::string_view name) {
  for (const DoctorCheck& check : examine_machine(recorded.roots(), HeatBands())) {
    if (check.name == name) return check;
  }
  ADD_FAILURE() << "no check " << name;
  return {};
}

void make_folder(const RecordedMachine& recorded, const std::string& folder) {
  std::filesystem::create_directories(recorded.roots().proc.parent_path() / folder);
}

TEST(Doctor, EveryMachineGetsEveryCheckWithWords) {
  for (const char* name : {"laptop", "amd_gpu", "intel_gpu", "container", "container_v1"}) {
    SCOPED_TRACE(name);
    const RecordedMachine recorded(name);
    const auto checks = examine_machine(recorded.roots(), HeatBands());
    ASSERT_EQ(checks.size(), 11U);
    EXPECT_EQ(checks.front().name, "governor");
    EXPECT_EQ(checks.back().name, "open_files");
    for (const DoctorCheck& check : checks) {
      EXPECT_FALSE(check.found.empty()) << check.name;
      if (check.health == Health::kWarn) EXPECT_FALSE(check.advice.empty()) << check.name;
    }
  }
}

TEST(Doctor, TheGovernorHasToBePerformance) {
  const RecordedMachine recorded("laptop");
  EXPECT_EQ(check_of(recorded, "governor").health, Health::kWarn);
  EXPECT_EQ(check_of(recorded, "governor").found, "powersave");
  for (int cpu = 0; cpu < 4; ++cpu) {
    const std::string folder = "sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cpufreq";
    make_folder(recorded, folder);
    recorded.set(folder + "/scaling_governor", "performance\n");
  }
  EXPECT_EQ(check_of(recorded, "governor").health, Health::kOk);
}

TEST(Doctor, TurboIsToldWithHowToTurnItOff) {
  const RecordedMachine recorded("laptop");
  make_folder(recorded, "sys/devices/system/cpu/intel_pstate");
  recorded.set("sys/devices/system/cpu/intel_pstate/no_turbo", "0\n");
  EXPECT_THAT(check_of(recorded, "turbo").advice, HasSubstr("echo 1 | sudo tee"));
  recorded.set("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
  EXPECT_EQ(check_of(recorded, "turbo").found, "off");
}

TEST(Doctor, ThermalHeadRoomIsHeldAgainstTheProcessorsLimit) {
  const RecordedMachine recorded("laptop");
  recorded.set("sys/class/hwmon/hwmon4/temp1_crit", "100000\n");
  recorded.set("sys/class/hwmon/hwmon4/temp1_input", "45000\n");
  DoctorCheck check = check_of(recorded, "temperature");
  EXPECT_EQ(check.health, Health::kOk);
  EXPECT_THAT(check.found, HasSubstr("55 °C below its limit of 100 °C"));
  recorded.set("sys/class/hwmon/hwmon4/temp1_input", "84000\n");
  check = check_of(recorded, "temperature");
  EXPECT_EQ(check.health, Health::kWarn);
  EXPECT_THAT(check.advice, HasSubstr("--cooldown"));
}

TEST(Doctor, SwapInUseIsAWarning) {
  const RecordedMachine recorded("laptop");
  recorded.set("proc/meminfo", "MemTotal: 100 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
  EXPECT_EQ(check_of(recorded, "swap").found, "none");
  recorded.set("proc/meminfo", "MemTotal: 100 kB\nSwapTotal: 2000000 kB\nSwapFree: 1000000 kB\n");
  const DoctorCheck check = check_of(recorded, "swap");
  EXPECT_EQ(check.health, Health::kWarn);
  EXPECT_EQ(check.found, "1.0 GB of 2.0 GB in use");
}

TEST(Doctor, AContainersLimitIsHeldAgainstTheProcessors) {
  const RecordedMachine recorded("container");
  recorded.set("sys/fs/cgroup/cpu.max", "50000 100000\n");
  const DoctorCheck check = check_of(recorded, "container");
  EXPECT_EQ(check.health, Health::kWarn);
  EXPECT_THAT(check.found, HasSubstr("limited to 0.5 of"));
  EXPECT_THAT(check.advice, HasSubstr("--threads 1"));
  recorded.set("sys/fs/cgroup/cpu.max", "150000 100000\n");
  EXPECT_THAT(check_of(recorded, "container").advice, HasSubstr("--threads 1,"))
      << "two would be held back";
}

TEST(Doctor, ALimitOfAGroupAboveHoldsToo) {
  const RecordedMachine recorded("container");
  recorded.set("proc/self/cgroup", "0::/ai.slice/session.scope\n");
  recorded.set("sys/fs/cgroup/ai.slice/session.scope/cpu.max", "max 100000\n");
  recorded.set("sys/fs/cgroup/ai.slice/cpu.max", "50000 100000\n");
  EXPECT_THAT(check_of(recorded, "container").found, HasSubstr("limited to 0.5 of"));
}

TEST(Doctor, ACardsHeadRoomCountsToo) {
  const RecordedMachine recorded("amd_gpu");
  recorded.set("sys/class/drm/card1/device/hwmon/hwmon3/temp1_crit", "70000\n");
  const DoctorCheck check = check_of(recorded, "temperature");
  EXPECT_EQ(check.health, Health::kWarn) << check.found;
  EXPECT_THAT(check.found, HasSubstr("GPU 0 9 °C below its limit of 70 °C"));
}

TEST(Doctor, AnNvidiaCardWithoutItsLibraryIsNamed) {
  const RecordedMachine recorded("container");
  recorded.set("sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n");
  recorded.set("sys/bus/pci/devices/0000:01:00.0/class", "0x030200\n");
  EXPECT_THAT(check_of(recorded, "gpu_users").found, HasSubstr("an NVIDIA card is there"));
}

TEST(Doctor, TheVerdictCountsWhatIsUnknown) {
  EXPECT_EQ(doctor_verdict(0, 0, 11), "Nothing here keeps figures from being right.");
  EXPECT_EQ(doctor_verdict(0, 3, 11),
            "Nothing that could be seen keeps figures from being right; 3 of 11 are unknown.");
  EXPECT_EQ(doctor_verdict(1, 2, 11), "1 thing changes figures here; 2 of 11 are unknown.");
  EXPECT_EQ(doctor_verdict(0, 11, 11), "Nothing could be seen: this machine tells none of it.");
}

TEST(Doctor, ASlowClockFewFilesAndABusyMachineAreSaid) {
  const RecordedMachine recorded("laptop");
  make_folder(recorded, "sys/devices/system/clocksource/clocksource0");
  recorded.set("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
  recorded.set("proc/self/limits",
               "Limit  Soft Limit  Hard Limit  Units\n"
               "Max open files            256                  4096                 files\n");
  recorded.set("proc/loadavg", "7.50 3.00 1.00 2/300 4321\n");
  EXPECT_EQ(check_of(recorded, "clock_source").health, Health::kWarn);
  EXPECT_THAT(check_of(recorded, "open_files").advice, HasSubstr("ulimit -n"));
  EXPECT_THAT(check_of(recorded, "load").found, HasSubstr("load average 7.5 on 4"));
  recorded.set("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
  EXPECT_EQ(check_of(recorded, "clock_source").health, Health::kOk);
}

TEST(Doctor, RaplIsReadOrNot) {
  const RecordedMachine recorded("laptop");
  DoctorCheck still = check_of(recorded, "rapl");
  EXPECT_EQ(still.health, Health::kUnknown);
  EXPECT_EQ(still.found, "the counter does not move");
  const MachineRoots roots = recorded.roots();
  TelemetrySample sample;
  sample.cpu_power_w = 30;
  EXPECT_EQ(check_rapl({roots, TelemetryStream(), sample, {}}).health, Health::kOk);
  // Refused to root, too: no number comes of it.
  recorded.set("sys/class/powercap/intel-rapl:0/energy_uj", "");
  const DoctorCheck check = check_of(recorded, "rapl");
  EXPECT_EQ(check.health, Health::kWarn);
  EXPECT_THAT(check.advice, HasSubstr("chmod a+r"));
}

TEST(Doctor, WhoHasACardOpenIsNamed) {
  const RecordedMachine recorded("amd_gpu");
  make_folder(recorded, "proc/77/fdinfo");
  recorded.set("proc/77/comm", "game\n");
  recorded.set("proc/77/fdinfo/5", "pos:\t0\ndrm-driver:\tamdgpu\ndrm-client-id:\t9\n");
  EXPECT_THAT(check_of(recorded, "gpu_users").found, HasSubstr("opened by game"));
}

TEST(Doctor, AModelMayFitIntoACardsOwnMemory) {
  const RecordedMachine recorded("amd_gpu");
  const auto pools = gpu_pools(recorded.roots());
  ASSERT_FALSE(pools.empty());
  EXPECT_EQ(pools[0].name, "GPU 0");
  EXPECT_GT(pools[0].free_bytes, 0);
  EXPECT_TRUE(gpu_pools(RecordedMachine("container").roots()).empty());
}

}  // namespace
}  // namespace assay
