#pragma once

#include <vector>

#include "model/run.h"
#include "run/session.h"

namespace assay {

/// What each server of the session has counted so far, of all its clients; those that do not count
/// are left out. At most two seconds a server.
std::vector<ServerCounters> read_counters(Session& session);

/// The growth between two readings, of servers that are in both and were not started anew.
std::vector<ServerCounters> counted_since(const std::vector<ServerCounters>& before,
                                          const std::vector<ServerCounters>& after);

}  // namespace assay
