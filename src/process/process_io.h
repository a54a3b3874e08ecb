#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/result.h"

namespace assay {

/// Bytes that a process had the kernel fetch from storage since its start: `read_bytes` of
/// /proc/PID/io. Pages of a mapped file count when they are fetched for it, those that were in the
/// page cache do not. kUnavailable when the process is gone or not ours. `proc` is for tests.
Result<int64_t> storage_read_bytes(pid_t pid, const std::filesystem::path& proc = "/proc");

/// The most memory that a process has had resident, in bytes: `VmHWM` of /proc/PID/status. Absent
/// when the process is gone.
std::optional<int64_t> peak_memory_bytes(pid_t pid, const std::filesystem::path& proc = "/proc");

}  // namespace assay
