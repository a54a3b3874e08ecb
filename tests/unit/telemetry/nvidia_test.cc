#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "telemetry/machine.h"
#include "telemetry/nvidia_smi.h"
#include "telemetry/nvml.h"
#include "unit/telemetry/recorded_machine.h"

namespace assay {
namespace {

TEST(Nvidia, TheLibraryTellsWhatTheCardTells) {
  const RecordedMachine recorded("container");
  MachineRoots roots = recorded.roots();
  roots.nvml = ASSAY_FAKE_NVML;
  Machine machine(roots, kSecond);
  const TelemetrySample sample = machine.sample(2 * kSecond, {});
  ASSERT_EQ(sample.gpus.size(), 2U);
  const GpuSample& card = sample.gpus[0];
  EXPECT_DOUBLE_EQ(*card.percent, 93);
  EXPECT_DOUBLE_EQ(*card.memory_used_bytes, 1e10);
  EXPECT_DOUBLE_EQ(*card.temperature_c, 84);
  EXPECT_DOUBLE_EQ(*card.mhz, 1290);
  EXPECT_DOUBLE_EQ(*card.memory_mhz, 6251);
  EXPECT_DOUBLE_EQ(*card.power_w, 59.87);
  EXPECT_DOUBLE_EQ(*card.energy_j, 123456.789);
  EXPECT_DOUBLE_EQ(*card.throttle, throttle::kPowerCap | throttle::kThermal);
  EXPECT_DOUBLE_EQ(*sample.gpus[1].temperature_c, 45);
  EXPECT_DOUBLE_EQ(*sample.gpus[1].throttle, 0) << "an idle card does not throttle";
  EXPECT_FALSE(sample.gpus[1].power_w);
  EXPECT_EQ(machine.about().facts.at("gpu0"), "NVIDIA A2");
  EXPECT_EQ(machine.about().facts.at("gpu0_temperature_limit_c"), "95");
  EXPECT_FALSE(machine.about().facts.contains("gpu1_temperature_limit_c"));
  expect_value_or_reason(machine.about(), sample);
}

TEST(Nvidia, ALibraryThatIsNotThereSaysSo) {
  std::string why;
  EXPECT_EQ(Nvml::load("libassay-has-no-such-library.so.1", why), nullptr);
  EXPECT_FALSE(why.empty());
}

TEST(Nvidia, WithoutTheLibraryItsProgramIsAsked) {
  const TempDir dir;
  const auto program = dir.path() / "nvidia-smi";
  {
    std::ofstream script(program);
    script << "#!/bin/sh\necho '12, 512, 51, 1410, 5001, 33.10, 0x0000000000000001, NVIDIA T4'\n";
  }
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const RecordedMachine recorded("container");
  MachineRoots roots = recorded.roots();
  roots.nvidia_smi = program.string();
  Machine machine(roots, kSecond);
  ASSERT_EQ(machine.about().gpus, 1);
  EXPECT_TRUE(machine.sample(2 * kSecond, {}).gpus[0].power_w) << "asked for the first sample";
  const TelemetrySample between = machine.sample(3 * kSecond, {});
  EXPECT_FALSE(between.gpus[0].power_w) << "an old reading is none";
  EXPECT_EQ(between.gpus[0].state, CardState::kNotAsked);
  const TelemetrySample sample = machine.sample(7 * kSecond, {});
  EXPECT_EQ(sample.gpus[0].state, CardState::kAsked);
  EXPECT_DOUBLE_EQ(*sample.gpus[0].power_w, 33.1);
  EXPECT_DOUBLE_EQ(*sample.gpus[0].memory_used_bytes, 512.0 * 1048576);
  EXPECT_EQ(machine.about().facts.at("gpu0"), "NVIDIA T4");
  expect_value_or_reason(machine.about(), sample);
}

TEST(Nvidia, WhatTheProgramDoesNotKnowIsAbsent) {
  const auto cards = parse_nvidia_smi(
      "[N/A], 100, 40, [N/A], 405, [Not Supported], [N/A], NVIDIA GeForce GT 710\n"
      "short, line\n\n");
  ASSERT_EQ(cards.size(), 1U);
  EXPECT_FALSE(cards[0].sample.percent || cards[0].sample.mhz || cards[0].sample.power_w ||
               cards[0].sample.throttle);
  EXPECT_DOUBLE_EQ(*cards[0].sample.temperature_c, 40);
}

TEST(Nvidia, ThrottleBitsAreOurs) {
  EXPECT_EQ(throttle_of_nvml(0x1 | 0x2 | 0x10), 0U);
  EXPECT_EQ(throttle_of_nvml(0x4), throttle::kPowerCap);
  EXPECT_EQ(throttle_of_nvml(0x20), throttle::kThermal);
  EXPECT_EQ(throttle_of_nvml(0x8 | 0x80), throttle::kHardware);
}

}  // namespace
}  // namespace assay
