#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace assay {

/// One process and no later one with its number: numbers are used again, and after a reboot so are
/// start times.
struct ProcessIdentity {
  int64_t pid = 0;
  int64_t start_ticks = 0;  ///< Of the kernel's clock, since the machine started.
  std::string boot_id;

  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

/// When a process started, in the kernel's ticks. Absent when there is none, or only what is left
/// of one that ended.
std::optional<int64_t> process_start_ticks(int64_t pid);

/// Absent when there is no such process.
std::optional<ProcessIdentity> identity_of(int64_t pid);

bool is_running(const ProcessIdentity& process);

/// Ends exactly that process: SIGTERM, then SIGKILL after the grace. It need not be a child of
/// ours. Nothing is done when it has ended already. kIo when the system refuses. Blocks.
Result<void> end_process(const ProcessIdentity& process, Nanos grace = std::chrono::seconds(5));

}  // namespace assay
