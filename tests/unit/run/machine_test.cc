#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "run/environment.h"

namespace assay {
namespace {

using testing::HasSubstr;

/// The files of a small machine under tests/golden/machine.
EnvironmentSource recorded() {
  EnvironmentSource source;
  source.root = std::filesystem::path(ASSAY_TEST_DATA) / "machine";
  return source;
}

TEST(Machine, IsReadFromItsFiles) {
  const Environment e = read_environment(recorded());
  EXPECT_EQ(e.cpu_model, "AMD Ryzen 5 2500U with Radeon Vega Mobile Gfx");
  EXPECT_EQ(e.cores, 2);
  EXPECT_EQ(e.governor, "schedutil");
  EXPECT_EQ(e.memory_bytes, int64_t{7'100'000} * 1024);
  EXPECT_EQ(e.kernel, "6.1.0-18-amd64");
  EXPECT_EQ(e.os, "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(e.cpu_limit, 1.5);
  EXPECT_FALSE(e.memory_limit_bytes);
  EXPECT_EQ(e.missing.at("memory_limit_bytes"), "no limit");
  ASSERT_EQ(e.gpus.size(), 1U);
  EXPECT_EQ(e.gpus[0].name, "PCI 0x1002:0x15dd");
  EXPECT_FALSE(e.compiler.empty());
}

TEST(Machine, NvidiasToolGoesBeforeTheKernelsList) {
  EnvironmentSource source = recorded();
  source.nvidia_smi = [] {
    return std::string("NVIDIA GeForce GTX 1050, 535.183.01\nNVIDIA A2, 535.183.01\n");
  };
  const Environment e = read_environment(source);
  ASSERT_EQ(e.gpus.size(), 2U);
  EXPECT_EQ(e.gpus[0].name, "NVIDIA GeForce GTX 1050");
  EXPECT_EQ(e.gpus[0].driver, "535.183.01");
}

TEST(Machine, WhatIsNotThereHasItsReason) {
  EnvironmentSource source;
  source.root = "/nonexistent";
  const Environment e = read_environment(source);
  EXPECT_FALSE(e.cpu_model || e.cores || e.memory_bytes || e.kernel || e.os || e.governor);
  EXPECT_TRUE(e.gpus.empty());
  for (const char* member : {"cpu_model", "cores", "governor", "memory_bytes", "kernel", "os",
                             "cpu_limit", "memory_limit_bytes", "gpus"}) {
    EXPECT_FALSE(e.missing.at(member).empty()) << member;
  }
}

TEST(Machine, NamesOfPeopleHostsAndNetworksAreOnlyInTheRawPart) {
  EXPECT_THAT(raw_environment_json(), HasSubstr(host_name()));
  EXPECT_THAT(raw_environment_json(), HasSubstr("\"addresses\""));
}

}  // namespace
}  // namespace assay
