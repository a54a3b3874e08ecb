#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

constexpr double kSectorBytes = 512;

/// Bytes of all disks: whole devices, not their partitions, and nothing that lies on another disk.
class Disks : public TelemetrySource {
 public:
  Disks(std::filesystem::path diskstats, std::filesystem::path block)
      : diskstats_(std::move(diskstats)), block_(std::move(block)) {}

  void read(const ReadingContext& context, TelemetrySample& out) override {
    const auto text = sensor_text(diskstats_);
    if (!text) return;
    double read_bytes = 0;
    double written_bytes = 0;
    // major minor name reads merged sectors ms writes merged sectors …
    constexpr size_t kRead = 5;
    constexpr size_t kWritten = 9;
    for (const std::string& line : split(*text, '\n')) {
      const auto words = words_of(line);
      if (words.size() <= kWritten || !counts(std::string(words[2]))) continue;
      read_bytes += number_in(words[kRead]).value_or(0) * kSectorBytes;
      written_bytes += number_in(words[kWritten]).value_or(0) * kSectorBytes;
    }
    const double seconds = static_cast<double>(context.now - then_) / 1e9;
    out.disk_read_bytes_per_s = rate_of(read_, read_bytes, seconds);
    out.disk_write_bytes_per_s = rate_of(written_, written_bytes, seconds);
    read_ = read_bytes;
    written_ = written_bytes;
    then_ = context.now;
  }

 private:
  bool counts(const std::string& name) {
    const auto known = counts_.find(name);
    if (known != counts_.end()) return known->second;
    constexpr std::array<std::string_view, 5> kLayers{"loop", "ram", "zram", "dm-", "md"};
    const bool layer = std::any_of(kLayers.begin(), kLayers.end(), [&](std::string_view prefix) {
      return name.rfind(prefix, 0) == 0;
    });
    std::error_code error;
    return counts_[name] = !layer && std::filesystem::exists(block_ / name, error);
  }

  std::filesystem::path diskstats_;
  std::filesystem::path block_;
  std::map<std::string, bool> counts_;
  std::optional<double> read_;
  std::optional<double> written_;
  MonoNs then_ = 0;
};

}  // namespace

std::unique_ptr<TelemetrySource> open_disks(SourceSetup& setup) {
  if (!sensor_text(setup.roots.proc / "diskstats")) {
    setup.lacks({"disk_read_bytes_per_s", "disk_write_bytes_per_s"},
                "/proc/diskstats cannot be read");
    return nullptr;
  }
  return std::make_unique<Disks>(setup.roots.proc / "diskstats", setup.roots.sys / "block");
}

}  // namespace assay
