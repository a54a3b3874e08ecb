#include "telemetry/cgroup_folders.h"

#include <algorithm>

#include "base/text.h"
#include "telemetry/sensor_file.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// The path behind a hierarchy in /proc/PID/cgroup: `0::/a/b` of version 2, `4:cpu,cpuacct:/a` of
/// version 1. Empty where it is not there.
std::string path_in(std::string_view membership, std::string_view controller) {
  for (const std::string& line : split(membership, '\n')) {
    const auto parts = split(line, ':');
    if (parts.size() != 3) continue;
    const auto controllers = split(parts[1], ',');
    const bool mine = controller.empty() ? parts[0] == "0" && parts[1].empty()
                                         : std::find(controllers.begin(), controllers.end(),
                                                     controller) != controllers.end();
    if (mine) return parts[2];
  }
  return {};
}

/// Where a hierarchy is mounted.
fs::path mount_of(const MachineRoots& roots, std::string_view controller) {
  fs::path root = roots.sys / "fs/cgroup";
  if (controller.empty()) return root;
  std::error_code error;
  const fs::path both = root / "cpu,cpuacct";
  return controller == "cpu" && fs::exists(both, error) ? both : root / controller;
}

}  // namespace

std::vector<fs::path> cgroup_folders(const MachineRoots& roots, std::string_view process,
                                     std::string_view controller) {
  const fs::path mount = mount_of(roots, controller);
  const std::string membership = sensor_text(roots.proc / process / "cgroup").value_or("");
  const std::string path = path_in(membership, controller);
  std::vector<fs::path> folders;
  // Of another namespace the path leads up and out of what is mounted here.
  if (path.find("..") == std::string::npos) {
    for (fs::path below = fs::path(path).relative_path(); !below.empty();
         below = below.parent_path()) {
      folders.push_back(mount / below);
    }
  }
  folders.push_back(mount);
  return folders;
}

}  // namespace assay
