#include "base/text.h"
#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

/// Bytes of all interfaces but the loopback.
class Network : public TelemetrySource {
 public:
  explicit Network(std::filesystem::path dev) : dev_(std::move(dev)) {}

  void read(const ReadingContext& context, TelemetrySample& out) override {
    const auto text = sensor_text(dev_);
    if (!text) return;
    double in = 0;
    double sent = 0;
    // `name: bytes packets errs drop fifo frame compressed multicast  bytes …`
    constexpr size_t kSent = 8;
    for (const std::string& line : split(*text, '\n')) {
      const size_t colon = line.find(':');
      if (colon == std::string::npos || trim(line.substr(0, colon)) == "lo") continue;
      const auto words = words_of(std::string_view(line).substr(colon + 1));
      if (words.size() <= kSent) continue;
      in += number_in(words[0]).value_or(0);
      sent += number_in(words[kSent]).value_or(0);
    }
    const double seconds = static_cast<double>(context.now - then_) / 1e9;
    out.net_in_bytes_per_s = rate_of(in_, in, seconds);
    out.net_out_bytes_per_s = rate_of(sent_, sent, seconds);
    in_ = in;
    sent_ = sent;
    then_ = context.now;
  }

 private:
  std::filesystem::path dev_;
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
  return std::make_unique<Network>(setup.roots.proc / "net/dev");
}

}  // namespace assay
