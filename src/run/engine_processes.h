#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/result.h"
#include "run/session.h"

namespace assay {

/// The first process of a cell's engine: of one of ours, or of the server that listens on this
/// machine. kUnavailable where it cannot be seen.
Result<std::vector<int>> engine_processes(const Session& session, const LiveCell& live,
                                          const std::filesystem::path& proc);

/// The most memory that they and their children have had resident, in bytes, each at its own time.
/// Absent where they cannot be seen.
std::optional<int64_t> engine_memory(const Session& session, const LiveCell& live,
                                     const std::filesystem::path& proc);

}  // namespace assay
