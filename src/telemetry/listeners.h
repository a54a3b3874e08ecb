#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"

namespace assay {

/// Which processes listen at ports of this machine, as /proc tells: port, socket, process. One
/// thread.
class Listeners {
 public:
  explicit Listeners(std::filesystem::path proc) : proc_(std::move(proc)) {}

  struct Found {
    std::vector<int> processes;  ///< The first of each port's; workers are its children.
    std::string missing;         ///< Why a port has none; empty when each has one.
  };
  /// Looks again where the ports are others or a process is gone, but not more often than every
  /// five seconds: it reads the open files of up to kMostProcesses processes.
  const Found& at(std::span<const uint16_t> ports, MonoNs now);
  static constexpr size_t kMostProcesses = 8192;
  static constexpr size_t kMostFiles = 4096;  ///< Of one process.

 private:
  [[nodiscard]] bool is_still_right() const;
  void look();

  std::filesystem::path proc_;
  std::vector<uint16_t> ports_;
  MonoNs looked_ = 0;
  Found found_;
};

}  // namespace assay
