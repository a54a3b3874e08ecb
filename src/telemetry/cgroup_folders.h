#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/source.h"

namespace assay {

/// The folders of the cgroup that a process is in, its own first, then its parents' up to the
/// root: a limit of any of them holds. In a container the path names what only the host sees, and
/// the root is its own. `process`: `self` or its number. `controller`: of version 1, `cpu` or
/// `memory`; empty: version 2.
std::vector<std::filesystem::path> cgroup_folders(const MachineRoots& roots,
                                                  std::string_view process,
                                                  std::string_view controller);

}  // namespace assay
