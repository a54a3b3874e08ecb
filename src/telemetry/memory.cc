#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

constexpr double kKib = 1024;

class Memory : public TelemetrySource {
 public:
  explicit Memory(std::filesystem::path meminfo) : meminfo_(std::move(meminfo)) {}

  void read(const ReadingContext&, TelemetrySample& out) override {
    const auto text = sensor_text(meminfo_);
    if (!text) return;
    const auto used = [&](std::string_view all, std::string_view free) -> std::optional<double> {
      const auto total = number_after(*text, all);
      const auto left = number_after(*text, free);
      if (!total || !left || *left > *total) return std::nullopt;
      return (*total - *left) * kKib;
    };
    out.ram_used_bytes = used("MemTotal", "MemAvailable");
    out.swap_used_bytes = used("SwapTotal", "SwapFree");
  }

 private:
  std::filesystem::path meminfo_;
};

}  // namespace

std::unique_ptr<TelemetrySource> open_memory(SourceSetup& setup) {
  auto meminfo = setup.roots.proc / "meminfo";
  const auto text = sensor_text(meminfo);
  if (!text) {
    setup.lacks({"ram_used_bytes", "swap_used_bytes"}, "/proc/meminfo cannot be read");
    return nullptr;
  }
  if (const auto total = number_after(*text, "MemTotal")) {
    setup.about.facts["ram_bytes"] = std::to_string(static_cast<int64_t>(*total * kKib));
  }
  return std::make_unique<Memory>(std::move(meminfo));
}

}  // namespace assay
