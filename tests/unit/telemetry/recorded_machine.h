#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "telemetry/machine.h"
#include "unit/store/store_test_support.h"

namespace assay {

/// A copy of a machine's files under tests/data/machines, which a test may change.
class RecordedMachine {
 public:
  explicit RecordedMachine(const std::string& name) {
    std::filesystem::copy(std::filesystem::path(ASSAY_TEST_MACHINES) / name, dir_.path(),
                          std::filesystem::copy_options::recursive);
  }

  void set(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((dir_.path() / file).parent_path());
    std::ofstream out(dir_.path() / file, std::ios::trunc);
    out << text;
    ASSERT_TRUE(out.flush().good()) << file;
  }
  /// A symbolic link, such as an open file's; what it leads to need not be there.
  void link(const std::string& file, const std::string& target) const {
    std::filesystem::remove(dir_.path() / file);
    std::filesystem::create_symlink(target, dir_.path() / file);
  }
  void remove(const std::string& file) const { std::filesystem::remove_all(dir_.path() / file); }

  /// Nothing of the machine that the tests run on.
  [[nodiscard]] MachineRoots roots() const {
    MachineRoots roots;
    roots.proc = dir_.path() / "proc";
    roots.sys = dir_.path() / "sys";
    roots.nvml.clear();
    roots.nvidia_smi.clear();
    return roots;
  }

 private:
  TempDir dir_;
};

inline constexpr MonoNs kSecond = 1'000'000'000;

/// Every column has a value, or one reason why not; never both.
inline void expect_value_or_reason(const TelemetryStream& about, const TelemetrySample& sample) {
  const auto expect = [&](const std::string& name, bool is_there) {
    EXPECT_EQ(about.missing.contains(name), !is_there) << name;
    if (!is_there && about.missing.contains(name)) EXPECT_FALSE(about.missing.at(name).empty());
  };
  for (const auto& field : host_fields()) {
    expect(std::string(field.name), (sample.*field.member).has_value());
  }
  for (size_t gpu = 0; gpu < sample.gpus.size(); ++gpu) {
    for (const auto& field : gpu_fields()) {
      expect("gpu" + std::to_string(gpu) + "_" + std::string(field.name),
             (sample.gpus[gpu].*field.member).has_value());
    }
  }
  expect("gpu", !sample.gpus.empty());
}

}  // namespace assay
