#include <algorithm>

#include "base/text.h"
#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

/// How long the container's processor limit held its threads back.
class Cgroup : public TelemetrySource {
 public:
  Cgroup(std::filesystem::path stat, std::string key, double unit_s)
      : stat_(std::move(stat)), key_(std::move(key)), unit_s_(unit_s) {}

  void read(const ReadingContext&, TelemetrySample& out) override {
    const auto text = sensor_text(stat_);
    const auto now = text ? scaled(number_after(*text, key_), unit_s_) : std::nullopt;
    if (!now) return;
    if (!first_) first_ = now;
    out.cgroup_throttled_s = std::max(0.0, *now - *first_);
  }

 private:
  std::filesystem::path stat_;
  std::string key_;
  double unit_s_;
  std::optional<double> first_;
};

/// The path behind a hierarchy in /proc/self/cgroup: `0::/a/b` of version 2, `4:cpu,cpuacct:/a` of
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

}  // namespace

std::unique_ptr<TelemetrySource> open_cgroup(SourceSetup& setup) {
  const auto membership = sensor_text(setup.roots.proc / "self/cgroup").value_or("");
  const auto root = setup.roots.sys / "fs/cgroup";
  const auto below = [](const std::filesystem::path& base, std::string path) {
    path.erase(0, path.find_first_not_of('/'));
    return path.empty() ? base : base / path;
  };
  // Inside a container the path names what only the host sees: its own group is the root then.
  for (const auto& group : {below(root, path_in(membership, "")), root}) {
    const auto text = sensor_text(group / "cpu.stat");
    if (text && number_after(*text, "throttled_usec")) {
      return std::make_unique<Cgroup>(group / "cpu.stat", "throttled_usec", 1e-6);
    }
  }
  for (const char* mount : {"cpu,cpuacct", "cpu"}) {
    const auto base = root / mount;
    for (const auto& group : {below(base, path_in(membership, "cpu")), base}) {
      const auto text = sensor_text(group / "cpu.stat");
      if (text && number_after(*text, "throttled_time")) {
        return std::make_unique<Cgroup>(group / "cpu.stat", "throttled_time", 1e-9);
      }
    }
  }
  setup.lacks({"cgroup_throttled_s"}, "no cgroup with a processor limit is visible");
  return nullptr;
}

}  // namespace assay
