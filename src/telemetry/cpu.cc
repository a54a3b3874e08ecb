#include <algorithm>

#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

/// Jiffies of one line of /proc/stat.
struct Jiffies {
  double busy = 0;
  double steal = 0;
  double all = 0;
};

/// `user nice system idle iowait irq softirq steal`; guests' time is in user's.
std::optional<Jiffies> jiffies_of(const std::vector<std::string_view>& words) {
  constexpr size_t kIdle = 4;
  constexpr size_t kWaiting = 5;
  constexpr size_t kSteal = 8;
  if (words.size() <= kWaiting) return std::nullopt;
  Jiffies total;
  for (size_t i = 1; i < std::min(words.size(), kSteal + 1); ++i) {
    const auto value = number_in(words[i]);
    if (!value) return std::nullopt;
    total.all += *value;
    if (i == kSteal) total.steal = *value;
    if (i != kIdle && i != kWaiting && i != kSteal) total.busy += *value;
  }
  return total;
}

std::optional<double> percent(double before, double now, double all) {
  if (all <= 0 || now < before) return std::nullopt;
  return std::min(100.0, 100 * (now - before) / all);
}

/// Use of all processors and of each, and what other guests took.
class CpuUse : public TelemetrySource {
 public:
  explicit CpuUse(std::filesystem::path stat) : stat_(std::move(stat)) {}

  void read(const ReadingContext&, TelemetrySample& out) override {
    const auto text = sensor_text(stat_);
    if (!text) return;
    std::vector<std::optional<Jiffies>> now(before_.size());
    std::string_view rest = *text;
    while (rest.rfind("cpu", 0) == 0) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      const auto words = words_of(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      // `cpu` is all of them, `cpu7` the eighth.
      const auto number = number_in(words[0].substr(3));
      const size_t place = number ? static_cast<size_t>(std::max(*number, 0.0)) + 1 : 0;
      if (place < now.size()) now[place] = jiffies_of(words);
    }
    for (size_t i = 0; i < now.size(); ++i) {
      if (!now[i] || !before_[i]) continue;
      const double all = now[i]->all - before_[i]->all;
      const auto busy = percent(before_[i]->busy, now[i]->busy, all);
      if (i == 0) {
        out.cpu_percent = busy;
        out.steal_percent = percent(before_[i]->steal, now[i]->steal, all);
      } else if (i <= out.cores.size()) {
        out.cores[i - 1].percent = busy;
      }
    }
    before_ = std::move(now);
  }

  void make_room(int64_t cores) { before_.resize(static_cast<size_t>(cores) + 1); }

 private:
  std::filesystem::path stat_;
  std::vector<std::optional<Jiffies>> before_;  ///< All processors first.
};

}  // namespace

std::unique_ptr<TelemetrySource> open_cpu(SourceSetup& setup) {
  constexpr int64_t kMostCores = 256;  // Columns for more would be most of the file.
  const auto text = sensor_text(setup.roots.proc / "stat");
  if (!text || text->rfind("cpu ", 0) != 0) {
    setup.lacks({"cpu_percent", "steal_percent", "core_percent", "core_mhz"},
                "/proc/stat cannot be read");
    return nullptr;
  }
  for (int64_t core = 0; core < kMostCores; ++core) {
    if (text->find("\ncpu" + std::to_string(core) + " ") != std::string::npos) {
      setup.about.cores = core + 1;
    }
  }
  auto use = std::make_unique<CpuUse>(setup.roots.proc / "stat");
  use->make_room(setup.about.cores);
  return use;
}

}  // namespace assay
