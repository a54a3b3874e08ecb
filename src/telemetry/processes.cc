#include <unistd.h>

#include <algorithm>
#include <set>

#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

constexpr size_t kMostProcesses = 64;  ///< Of one engine.

std::optional<double> count_entries(const std::filesystem::path& directory) {
  std::error_code error;
  double entries = 0;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    ++entries;
  }
  if (error) return std::nullopt;
  return entries;
}

/// Open files of this process; open files and memory of the engines that it started.
class Processes : public TelemetrySource {
 public:
  explicit Processes(std::filesystem::path proc) : proc_(std::move(proc)) {}

  void read(const ReadingContext& context, TelemetrySample& out) override {
    out.open_files = count_entries(proc_ / "self/fd");
    for (const int engine : context.engines) {
      for (const int process : family_of(engine)) add(process, out);
    }
  }

 private:
  /// The process and those that descend from it.
  [[nodiscard]] std::set<int> family_of(int first) const {
    std::set<int> family{first};
    std::vector<int> open{first};
    while (!open.empty() && family.size() < kMostProcesses) {
      const auto tasks = proc_ / std::to_string(open.back()) / "task";
      open.pop_back();
      for (const auto& task : numbered(tasks, "")) {
        const auto text = sensor_text(task / "children");
        if (!text) continue;
        for (const std::string_view word : words_of(*text)) {
          const int child = static_cast<int>(number_in(word).value_or(0));
          if (child > 0 && family.insert(child).second) open.push_back(child);
        }
      }
    }
    return family;
  }

  void add(int process, TelemetrySample& out) const {
    const auto folder = proc_ / std::to_string(process);
    if (const auto files = count_entries(folder / "fd")) {
      out.engine_open_files = out.engine_open_files.value_or(0) + *files;
    }
    // size resident shared …, in pages.
    const auto text = sensor_text(folder / "statm");
    if (!text) return;
    const auto words = words_of(*text);
    const auto resident = words.size() > 1 ? number_in(words[1]) : std::nullopt;
    if (!resident) return;
    const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
    out.engine_memory_bytes = out.engine_memory_bytes.value_or(0) + *resident * page;
  }

  std::filesystem::path proc_;
};

}  // namespace

std::unique_ptr<TelemetrySource> open_processes(SourceSetup& setup) {
  setup.lacks({"engine_memory_bytes", "engine_open_files"}, "no engine was started here");
  return std::make_unique<Processes>(setup.roots.proc);
}

}  // namespace assay
