#include "run/environment.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/ids.h"
#include "base/text.h"

namespace assay {
namespace {

/// Output of a fixed command, absent when it fails. Not for anything a user wrote.
std::optional<std::string> output_of(const char* command) {
  const auto close = [](FILE* pipe) { ::pclose(pipe); };
  std::unique_ptr<FILE, decltype(close)> pipe(::popen(command, "re"), close);
  if (!pipe) return std::nullopt;
  std::string text;
  std::array<char, 4096> block;
  size_t got = 0;
  while ((got = std::fread(block.data(), 1, block.size(), pipe.get())) > 0) {
    text.append(block.data(), got);
  }
  if (::pclose(pipe.release()) != 0) return std::nullopt;
  return text;
}

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace

std::vector<double> load_averages() {
  std::vector<double> loads(3);
  if (::getloadavg(loads.data(), 3) != 3) loads.clear();
  return loads;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

void describe_environment(RunMeta& meta) {
  meta.run_id = new_uuid4();
  meta.started_wall_ns = wall_now_ns();
  meta.started_at_utc = utc_text(meta.started_wall_ns);
  meta.harness_version = kHarnessVersion;
  meta.assay_version = ASSAY_VERSION;
  meta.host = host_name();
  meta.load_avg_start = load_averages();
  meta.env_route = environment("WEEYUGA_INFERENCE_ROUTE");
  meta.env_llamacpp_url = environment("WEEYUGA_QWEN35_LLAMACPP_URL");
  if (const auto sha = output_of("git rev-parse HEAD 2>/dev/null")) {
    meta.git_sha = std::string(trim(*sha));
    const auto status = output_of("git status --porcelain 2>/dev/null | head -c 1");
    if (status) meta.git_dirty = !status->empty();
  }
}

}  // namespace assay
