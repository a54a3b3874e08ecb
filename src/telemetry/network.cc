#include <map>
#include <string>

#include "base/text.h"
#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

/// Bytes of all interfaces with a device: those above them (bridges, bonds, tunnels, pairs of
/// containers) would count the same bytes again. Where no interface has a device, as in a
/// container, all but the loopback.
class Network : public TelemetrySource {
 public:
  Network(std::filesystem::path dev, std::filesystem::path interfaces)
      : dev_(std::move(dev)), interfaces_(std::move(interfaces)) {}

  void read(const ReadingContext& context, TelemetrySample& out) override {
    const auto text = sensor_text(dev_);
    if (!text) return;
    Bytes real;
    Bytes all;
    bool any_real = false;
    // `name: bytes packets errs drop fifo frame compressed multicast  bytes …`
    constexpr size_t kSent = 8;
    for (const std::string& line : split(*text, '\n')) {
      const size_t colon = line.find(':');
      if (colon == std::string::npos || trim(line.substr(0, colon)) == "lo") continue;
      const auto words = words_of(std::string_view(line).substr(colon + 1));
      if (words.size() <= kSent) continue;
      const Bytes bytes{number_in(words[0]).value_or(0), number_in(words[kSent]).value_or(0)};
      all.add(bytes);
      if (!has_device(std::string(trim(line.substr(0, colon))))) continue;
      real.add(bytes);
      any_real = true;
    }
    const auto [in, sent] = any_real ? real : all;
    const double seconds = static_cast<double>(context.now - then_) / 1e9;
    out.net_in_bytes_per_s = rate_of(in_, in, seconds);
    out.net_out_bytes_per_s = rate_of(sent_, sent, seconds);
    in_ = in;
    sent_ = sent;
    then_ = context.now;
  }

 private:
  struct Bytes {
    double in = 0;
    double sent = 0;
    void add(const Bytes& more) {
      in += more.in;
      sent += more.sent;
    }
  };

  bool has_device(const std::string& name) {
    const auto known = has_device_.find(name);
    if (known != has_device_.end()) return known->second;
    if (has_device_.size() >= kMostNames) return false;
    std::error_code error;
    return has_device_[name] = std::filesystem::exists(interfaces_ / name / "device", error);
  }
  static constexpr size_t kMostNames = 4096;  ///< Containers come and go.

  std::filesystem::path dev_;
  std::filesystem::path interfaces_;
  std::map<std::string, bool> has_device_;
  std::optional<double> in_;
  std::optional<double> sent_;
  MonoNs then_ = 0;
};

}  // namespace

std::unique_ptr<TelemetrySource> open_network(SourceSetup& setup) {
  if (!sensor_text(setup.roots.proc / "net/dev")) {
    setup.lacks({"net_in_bytes_per_s", "net_out_bytes_per_s"}, "/proc/net/dev cannot be read");
    return nullptr;
  }
  return std::make_unique<Network>(setup.roots.proc / "net/dev", setup.roots.sys / "class/net");
}

}  // namespace assay
