#include <unistd.h>

#include "telemetry/process_family.h"
#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

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

/// Open files of this process; open files and memory of the engines.
class Processes : public TelemetrySource {
 public:
  explicit Processes(const SourceSetup& setup) : proc_(setup.roots.proc), about_(setup.about) {}

  void read(const ReadingContext& context, TelemetrySample& out) override {
    out.open_files = count_entries(proc_ / "self/fd");
    const std::string_view why = context.engines_missing.empty()
                                     ? "no engine of this machine is known"
                                     : context.engines_missing;
    for (const char* column : {"engine_memory_bytes", "engine_open_files"}) {
      about_.missing[column] = why;  // Gone again where the column has a value.
    }
    for (const int engine : context.engines) {
      for (const int process : process_family(proc_, engine)) add(process, out);
    }
  }

 private:
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
  TelemetryStream& about_;
};

}  // namespace

std::unique_ptr<TelemetrySource> open_processes(SourceSetup& setup) {
  return std::make_unique<Processes>(setup);
}

}  // namespace assay
