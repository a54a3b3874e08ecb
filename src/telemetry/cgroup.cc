#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "telemetry/cgroup_folders.h"
#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// How long a processor limit held threads back, in seconds, as a folder tells; of version 2 or 1.
std::optional<double> throttled_s(const fs::path& folder) {
  const auto text = sensor_text(folder / "cpu.stat");
  if (!text) return std::nullopt;
  if (const auto micro = number_after(*text, "throttled_usec")) return *micro * 1e-6;
  return scaled(number_after(*text, "throttled_time"), 1e-9);
}

/// How long processor limits held the engines back; this process, where no engine is known.
class Cgroup : public TelemetrySource {
 public:
  explicit Cgroup(const SourceSetup& setup) : roots_(setup.roots), about_(setup.about) {}

  void read(const ReadingContext& context, TelemetrySample& out) override {
    bool any = false;
    for (const fs::path& folder : folders_of(context.engines)) {
      const auto now = throttled_s(folder);
      if (!now) continue;
      any = true;
      const auto [last, is_new] = last_.try_emplace(folder, *now);
      if (!is_new) total_ += std::max(0.0, *now - last->second);
      last->second = *now;
    }
    if (any) {
      out.cgroup_throttled_s = total_;
    } else {
      about_.missing["cgroup_throttled_s"] = "no cgroup with a processor limit is visible";
    }
  }

 private:
  /// A limit holds where any group above has it; each tells of its own only.
  [[nodiscard]] std::set<fs::path> folders_of(std::span<const int> engines) const {
    std::set<fs::path> folders;
    const auto add = [&](const std::string& process) {
      for (const char* controller : {"", "cpu"}) {
        const auto found = cgroup_folders(roots_, process, controller);
        folders.insert(found.begin(), found.end());
      }
    };
    for (const int engine : engines) add(std::to_string(engine));
    if (engines.empty()) add("self");
    return folders;
  }

  const MachineRoots& roots_;
  TelemetryStream& about_;
  std::map<fs::path, double> last_;
  double total_ = 0;
};

}  // namespace

std::unique_ptr<TelemetrySource> open_cgroup(SourceSetup& setup) {
  return std::make_unique<Cgroup>(setup);
}

}  // namespace assay
