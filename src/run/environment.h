#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/run.h"

namespace assay {

/// Bumped when the shape of a ledger record changes.
inline constexpr std::string_view kHarnessVersion = "1";

/// Fills what describes the circumstances: run id, time, host, load average, source 004's
/// environment variables, versions, the machine. git's part is read_tree().
void describe_environment(RunMeta& meta);

/// Where the facts of a machine are read, so that tests can have another one.
struct EnvironmentSource {
  std::filesystem::path root = "/";  ///< Above proc, sys and etc.
  /// `name, driver version` lines of nvidia-smi; empty text where there is none.
  std::function<std::string()> nvidia_smi;
};

/// This machine, by /proc, /sys, /etc/os-release and nvidia-smi.
EnvironmentSource this_machine();

/// The machine. What cannot be found is absent, with its reason.
Environment read_environment(const EnvironmentSource& source);

/// Memory that programs can still get: the kernel's MemAvailable, or less where a control group
/// leaves less. Bytes; absent where the kernel does not tell.
std::optional<int64_t> available_memory(const EnvironmentSource& source);

/// What must not be published, as one JSON document: host name, user, home and working directory,
/// addresses of this machine's interfaces. It goes to environment_raw.json beside the ledger.
std::string raw_environment_json();

/// The three load averages; empty where the system does not tell.
std::vector<double> load_averages();
/// Logical processors of this machine; 0 when unknown.
int64_t core_count();

/// How source 004 names where the harness runs.
std::string host_name();

}  // namespace assay
