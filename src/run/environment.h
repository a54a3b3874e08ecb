#pragma once

#include <string>
#include <vector>

#include "model/run.h"

namespace assay {

/// Bumped when the shape of a ledger record changes.
inline constexpr std::string_view kHarnessVersion = "1";

/// Fills what describes the circumstances: run id, time, host, git state of the current directory,
/// load average, source 004's environment variables, versions.
void describe_environment(RunMeta& meta);

/// The three load averages; empty where the system does not tell.
std::vector<double> load_averages();

/// How source 004 names where the harness runs.
std::string host_name();

}  // namespace assay
