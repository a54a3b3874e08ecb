#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "telemetry/machine.h"
#include "unit/telemetry/recorded_machine.h"

namespace assay {
namespace {

using testing::HasSubstr;

TEST(Machines, EveryColumnHasAValueOrExactlyOneReason) {
  for (const char* name : {"laptop", "amd_gpu", "intel_gpu", "container", "container_v1"}) {
    SCOPED_TRACE(name);
    const RecordedMachine recorded(name);
    Machine machine(recorded.roots(), kSecond);
    const TelemetrySample first = machine.sample(2 * kSecond, {});
    expect_value_or_reason(machine.about(), first);
    const WatchedEngines engines{{4321}, {}};
    const TelemetrySample second = machine.sample(3 * kSecond, engines);
    expect_value_or_reason(machine.about(), second);
  }
}

TEST(Machines, ALaptopTellsUseClocksHeatAndEnergy) {
  const RecordedMachine recorded("laptop");
  Machine machine(recorded.roots(), kSecond);
  // All of them: 300 busy, 20 stolen, 100 idle jiffies; the second processor: 30 busy, 70 idle.
  recorded.set("proc/stat",
               "cpu  160894 459 36532 3205670 5057 0 1587 20 0 0\n"
               "cpu1 39901 98 9034 802020 1190 0 380 0 0 0\n");
  recorded.set("sys/class/powercap/intel-rapl:0/energy_uj", "262143328840\n");
  const TelemetrySample sample = machine.sample(2 * kSecond, {});
  EXPECT_EQ(machine.about().cores, 4);
  EXPECT_NEAR(*sample.cpu_percent, 100.0 * 300 / 420, 0.01);
  EXPECT_NEAR(*sample.steal_percent, 100.0 * 20 / 420, 0.01);
  EXPECT_NEAR(*sample.cores[1].percent, 30, 0.01);
  EXPECT_FALSE(sample.cores[0].percent);
  EXPECT_DOUBLE_EQ(*sample.cpu_mhz, 3250);
  EXPECT_DOUBLE_EQ(*sample.cores[3].mhz, 3000);
  EXPECT_EQ(machine.about().facts.at("governor"), "powersave");
  EXPECT_DOUBLE_EQ(*sample.cpu_temperature_c, 71);
  EXPECT_NEAR(*sample.cpu_energy_j, 0.02884, 1e-9);
  EXPECT_NEAR(*sample.cpu_power_w, 0.02884, 1e-9);
  EXPECT_DOUBLE_EQ(*sample.ram_used_bytes, (16114180.0 - 9120344.0) * 1024);
  EXPECT_DOUBLE_EQ(*sample.swap_used_bytes, 0);
  EXPECT_DOUBLE_EQ(*sample.open_files, 4);
  EXPECT_DOUBLE_EQ(*sample.cpu_throttle_events, 0);
}

TEST(Machines, AnEnergyCounterThatBeganAnewGoesOn) {
  const RecordedMachine recorded("laptop");
  Machine machine(recorded.roots(), kSecond);
  // 28,850 uJ to its end, and 10,000,000 behind it.
  recorded.set("sys/class/powercap/intel-rapl:0/energy_uj", "10000000\n");
  const TelemetrySample sample = machine.sample(3 * kSecond, {});
  EXPECT_NEAR(*sample.cpu_energy_j, 10.02885, 1e-6);
  EXPECT_NEAR(*sample.cpu_power_w, 10.02885 / 2, 1e-6);
}

TEST(Machines, RatesAreOfWholeDisksAndRealInterfaces) {
  const RecordedMachine recorded("laptop");
  Machine machine(recorded.roots(), kSecond);
  recorded.set("proc/diskstats",
               " 7 0 loop0 52 0 9992210 11 0 0 0 0 0 24 11\n"
               " 259 0 nvme0n1 91210 20110 7342032 30120 51200 40210 4195304 90210 0 1 1\n"
               " 259 2 nvme0n1p2 90800 18910 7329648 30020 51198 40210 4199302 90209 0 1 1\n"
               " 253 0 dm-0 111000 0 7390000 40100 91000 0 4199000 180000 0 60000 220100\n");
  recorded.set("proc/net/dev",
               "head\nhead\n    lo: 99428800 1 0 0 0 0 0 0 99428800 1 0 0 0 0 0 0\n"
               "wlp1s0: 10486760 1 0 0 0 0 0 0 2097352 1 0 0 0 0 0 0\n");
  const TelemetrySample sample = machine.sample(3 * kSecond, {});
  EXPECT_DOUBLE_EQ(*sample.disk_read_bytes_per_s, 2000.0 * 512 / 2);
  EXPECT_DOUBLE_EQ(*sample.disk_write_bytes_per_s, 1000.0 * 512 / 2);
  EXPECT_DOUBLE_EQ(*sample.net_in_bytes_per_s, 500);
  EXPECT_DOUBLE_EQ(*sample.net_out_bytes_per_s, 100);
}

TEST(Machines, AnEnergyCounterThatStandsStillIsNone) {
  const RecordedMachine recorded("laptop");
  Machine machine(recorded.roots(), kSecond);
  const TelemetrySample sample = machine.sample(2 * kSecond, {});
  EXPECT_FALSE(sample.cpu_power_w || sample.cpu_energy_j);
  EXPECT_EQ(machine.about().missing.at("cpu_power_w"), "the counter does not move");
  EXPECT_EQ(machine.about().missing.at("cpu_energy_j"), "the counter does not move");
  recorded.set("sys/class/powercap/intel-rapl:0/energy_uj", "262143328840\n");
  EXPECT_NEAR(*machine.sample(3 * kSecond, {}).cpu_power_w, 0.02884, 1e-9);
  EXPECT_FALSE(machine.about().missing.contains("cpu_power_w"));
}

TEST(Machines, AProcessorThatIsOfflineShiftsNoClock) {
  const RecordedMachine recorded("laptop");
  recorded.remove("sys/devices/system/cpu/cpu1/cpufreq");
  Machine machine(recorded.roots(), kSecond);
  const TelemetrySample sample = machine.sample(2 * kSecond, {});
  EXPECT_FALSE(sample.cores[1].mhz);
  EXPECT_DOUBLE_EQ(*sample.cores[3].mhz, 3000);
}

TEST(Machines, ProcessorsAreNumberedByCpuinfoWhereThereIsNoCpufreq) {
  const RecordedMachine recorded("laptop");
  for (const char* cpu : {"cpu0", "cpu1", "cpu2", "cpu3"}) {
    recorded.remove(std::string("sys/devices/system/cpu/") + cpu + "/cpufreq");
  }
  recorded.set("proc/cpuinfo",
               "processor\t: 0\ncpu MHz\t\t: 2100.5\n\nprocessor\t: 2\ncpu MHz\t\t: 2300\n");
  Machine machine(recorded.roots(), kSecond);
  const TelemetrySample sample = machine.sample(2 * kSecond, {});
  EXPECT_DOUBLE_EQ(*sample.cores[0].mhz, 2100.5);
  EXPECT_FALSE(sample.cores[1].mhz);
  EXPECT_DOUBLE_EQ(*sample.cores[2].mhz, 2300);
}

TEST(Machines, BridgesAndPairsCountNoByteTwice) {
  const RecordedMachine recorded("laptop");
  recorded.set("sys/class/net/eth0/device/vendor", "0x8086\n");
  recorded.set("sys/class/net/br0/mtu", "1500\n");
  const auto bytes = [&](int in) {
    const std::string line =
        std::to_string(in) + " 1 0 0 0 0 0 0 " + std::to_string(2 * in) + " 1 0 0 0 0 0 0\n";
    recorded.set("proc/net/dev", "head\nhead\n    lo: " + line + "  eth0: " + line +
                                     "   br0: " + line + "veth1a: " + line);
  };
  bytes(1000);
  Machine machine(recorded.roots(), kSecond);
  bytes(3000);
  const TelemetrySample sample = machine.sample(2 * kSecond, {});
  EXPECT_DOUBLE_EQ(*sample.net_in_bytes_per_s, 2000);
  EXPECT_DOUBLE_EQ(*sample.net_out_bytes_per_s, 4000);
}

TEST(Machines, EnginesAreCountedWithTheirChildren) {
  const RecordedMachine recorded("laptop");
  Machine machine(recorded.roots(), kSecond);
  EXPECT_EQ(machine.sample(2 * kSecond, {}).engine_memory_bytes, std::nullopt);
  EXPECT_EQ(machine.about().missing.at("engine_memory_bytes"),
            "no engine of this machine is known");
  const WatchedEngines engines{{4321}, {}};
  const TelemetrySample sample = machine.sample(3 * kSecond, engines);
  EXPECT_DOUBLE_EQ(*sample.engine_memory_bytes, (262144.0 + 4096.0) * 4096);
  EXPECT_DOUBLE_EQ(*sample.engine_open_files, 3);
}

TEST(Machines, AnEngineThatListensIsFoundByItsPort) {
  const RecordedMachine recorded("laptop");
  // Port 8080 is 1F90: a connection of another process, and the socket that listens.
  recorded.set("proc/net/tcp",
               "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
               "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000"
               "        0 777001 1 0\n"
               "   1: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000"
               "        0 777002 1 0\n");
  recorded.link("proc/4322/fd/9", "socket:[777002]");
  recorded.link("proc/4321/fd/9", "socket:[777001]");
  Machine machine(recorded.roots(), kSecond);
  const TelemetrySample sample = machine.sample(2 * kSecond, {{}, {8080}});
  EXPECT_DOUBLE_EQ(*sample.engine_memory_bytes, (262144.0 + 4096.0) * 4096) << "with its child";
  EXPECT_FALSE(machine.about().missing.contains("engine_memory_bytes"));
  const TelemetrySample other = machine.sample(3 * kSecond, {{}, {8081}});
  EXPECT_FALSE(other.engine_memory_bytes);
  EXPECT_EQ(machine.about().missing.at("engine_memory_bytes"),
            "nothing that /proc/net/tcp shows listens at port 8081");
  recorded.set("proc/4321/comm", "docker-proxy\n");
  machine.sample(4 * kSecond, {{}, {8080}});
  EXPECT_EQ(machine.about().missing.at("engine_memory_bytes"),
            "docker-proxy listens at port 8080 for an engine elsewhere");
  recorded.remove("proc/4321/fd/9");
  machine.sample(20 * kSecond, {{}, {8080}});
  EXPECT_EQ(machine.about().missing.at("engine_memory_bytes"),
            "no process shows the socket of port 8080");
}

TEST(Machines, AnEngineIsHeldBackByTheLimitsOfItsOwnGroups) {
  const RecordedMachine recorded("container");
  const auto held_back = [&](int own, int parent) {
    recorded.set("sys/fs/cgroup/ai.slice/ollama.service/cpu.stat",
                 "nr_throttled 1\nthrottled_usec " + std::to_string(own) + "\n");
    recorded.set("sys/fs/cgroup/ai.slice/cpu.stat",
                 "nr_throttled 1\nthrottled_usec " + std::to_string(parent) + "\n");
  };
  recorded.set("proc/4321/cgroup", "0::/ai.slice/ollama.service\n");
  recorded.set("proc/4321/statm", "100 50 10\n");
  held_back(1'000'000, 5'000'000);
  Machine machine(recorded.roots(), kSecond);
  const WatchedEngines engines{{4321}, {}};
  EXPECT_DOUBLE_EQ(*machine.sample(2 * kSecond, engines).cgroup_throttled_s, 0);
  held_back(1'250'000, 5'500'000);
  EXPECT_NEAR(*machine.sample(3 * kSecond, engines).cgroup_throttled_s, 0.75, 1e-9);
}

TEST(Machines, GraphicsInTheProcessorSayWhyTheyTellLittle) {
  const RecordedMachine recorded("laptop");
  Machine machine(recorded.roots(), kSecond);
  const TelemetrySample sample = machine.sample(2 * kSecond, {});
  ASSERT_EQ(sample.gpus.size(), 1U);
  EXPECT_DOUBLE_EQ(*sample.gpus[0].mhz, 1300);
  EXPECT_DOUBLE_EQ(*sample.gpus[0].throttle, throttle::kPowerCap);
  EXPECT_THAT(machine.about().missing.at("gpu0_power_w"), HasSubstr("in the processor"));
}

TEST(Machines, AnAmdCardTellsItsMemoriesHeatAndPower) {
  const RecordedMachine recorded("amd_gpu");
  Machine machine(recorded.roots(), kSecond);
  const TelemetrySample sample = machine.sample(2 * kSecond, {});
  ASSERT_EQ(sample.gpus.size(), 2U);
  const GpuSample& card = sample.gpus[0];
  EXPECT_DOUBLE_EQ(*card.percent, 87);
  EXPECT_DOUBLE_EQ(*card.memory_used_bytes, 18253611008.0);
  EXPECT_DOUBLE_EQ(*card.gtt_used_bytes, 52428800);
  EXPECT_DOUBLE_EQ(*card.temperature_c, 61);
  EXPECT_DOUBLE_EQ(*card.mhz, 2482);
  EXPECT_DOUBLE_EQ(*card.memory_mhz, 1249);
  EXPECT_DOUBLE_EQ(*card.power_w, 287);
  EXPECT_EQ(machine.about().facts.at("gpu0"), "AMD PCI 0x1002:0x744c");
  EXPECT_DOUBLE_EQ(*sample.cpu_temperature_c, 58.25);
  EXPECT_DOUBLE_EQ(*sample.cpu_mhz, 4699.5);
  // Only root may read this machine's counter.
  EXPECT_THAT(machine.about().missing.at("cpu_energy_j"), HasSubstr("rights"));
}

TEST(Machines, ASleepingCardIsLeftAsleep) {
  const RecordedMachine recorded("amd_gpu");
  Machine machine(recorded.roots(), kSecond);
  const TelemetrySample asleep = machine.sample(2 * kSecond, {});
  EXPECT_FALSE(asleep.gpus[1].temperature_c);
  EXPECT_EQ(asleep.gpus[1].state, CardState::kAsleep);
  EXPECT_EQ(machine.about().missing.at("gpu1_temperature_c"), "the card sleeps");
  recorded.set("sys/class/drm/card2/device/power/runtime_status", "active\n");
  EXPECT_DOUBLE_EQ(*machine.sample(3 * kSecond, {}).gpus[1].temperature_c, 40);
  EXPECT_FALSE(machine.about().missing.contains("gpu1_temperature_c"));
}

TEST(Machines, IntelCardsTellEnergyByBothDrivers) {
  const RecordedMachine recorded("intel_gpu");
  Machine machine(recorded.roots(), kSecond);
  recorded.set("sys/class/drm/card0/device/hwmon/hwmon1/energy1_input", "91300000000\n");
  recorded.set("sys/class/drm/card1/device/hwmon/hwmon2/energy1_input", "50030000000\n");
  const TelemetrySample sample = machine.sample(3 * kSecond, {});
  ASSERT_EQ(sample.gpus.size(), 2U);
  EXPECT_DOUBLE_EQ(*sample.gpus[0].mhz, 2100);
  EXPECT_DOUBLE_EQ(*sample.gpus[0].energy_j, 91300);
  EXPECT_DOUBLE_EQ(*sample.gpus[0].power_w, 150);
  EXPECT_DOUBLE_EQ(*sample.gpus[0].temperature_c, 66);
  EXPECT_DOUBLE_EQ(*sample.gpus[0].throttle, 0);
  EXPECT_DOUBLE_EQ(*sample.gpus[1].mhz, 2850);
  EXPECT_DOUBLE_EQ(*sample.gpus[1].energy_j, 50030);
  EXPECT_DOUBLE_EQ(*sample.gpus[1].power_w, 15);
  EXPECT_DOUBLE_EQ(*sample.gpus[1].temperature_c, 72);
  EXPECT_DOUBLE_EQ(*sample.gpus[1].throttle, throttle::kThermal);
  // No chip of the processor's, so its thermal zone; the board's is not it.
  EXPECT_DOUBLE_EQ(*sample.cpu_temperature_c, 49);
  const TelemetrySample still = machine.sample(4 * kSecond, {});
  EXPECT_FALSE(still.gpus[1].energy_j || still.gpus[1].power_w);
  EXPECT_EQ(machine.about().missing.at("gpu1_energy_j"), "the counter does not move");
}

TEST(Machines, AContainerTellsHowLongItsLimitHeldItBack) {
  const RecordedMachine recorded("container");
  Machine machine(recorded.roots(), kSecond);
  recorded.set("sys/fs/cgroup/cpu.stat", "nr_throttled 320\nthrottled_usec 9620442\n");
  const TelemetrySample sample = machine.sample(2 * kSecond, {});
  EXPECT_NEAR(*sample.cgroup_throttled_s, 0.5, 1e-9);
  EXPECT_FALSE(sample.cpu_mhz || sample.cpu_temperature_c || sample.cpu_energy_j);
  EXPECT_TRUE(sample.gpus.empty());
  EXPECT_EQ(machine.about().missing.at("gpu"), "no graphics processor was found");
}

TEST(Machines, TheOlderGroupsCountInNanoseconds) {
  const RecordedMachine recorded("container_v1");
  Machine machine(recorded.roots(), kSecond);
  recorded.set("sys/fs/cgroup/cpu,cpuacct/cpu.stat",
               "nr_throttled 320\nthrottled_time 9370442000\n");
  EXPECT_NEAR(*machine.sample(2 * kSecond, {}).cgroup_throttled_s, 0.25, 1e-9);
}

TEST(Machines, WhatBreaksOffLaterIsAbsentWithAReason) {
  const RecordedMachine recorded("laptop");
  Machine machine(recorded.roots(), kSecond);
  recorded.remove("sys/class/hwmon/hwmon4");
  recorded.set("proc/stat", "nonsense");
  recorded.set("proc/meminfo", "MemTotal: many kB\n");
  recorded.set("sys/class/powercap/intel-rapl:0/energy_uj", "");
  const TelemetrySample sample = machine.sample(2 * kSecond, {});
  EXPECT_FALSE(sample.cpu_percent || sample.cpu_temperature_c || sample.cpu_energy_j);
  expect_value_or_reason(machine.about(), sample);
}

}  // namespace
}  // namespace assay
