#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>

#include "base/result.h"
#include "run/session.h"

namespace assay {

/// What each process of an engine has read from storage since its start, in bytes. Of an engine of
/// ours, or of the server that listens on this machine; their children too. kUnavailable where the
/// processes, or what they read, cannot be seen.
using EngineReads = std::map<int, int64_t>;
Result<EngineReads> engine_reads(const Session& session, const LiveCell& live,
                                 const std::filesystem::path& proc);

/// What they have read from one look to the next: of a process that is new since, all of it.
int64_t read_between(const EngineReads& before, const EngineReads& after);

}  // namespace assay
