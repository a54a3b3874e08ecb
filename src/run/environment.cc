#include "run/environment.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "base/ids.h"

namespace assay {
namespace {

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

int64_t core_count() { return std::thread::hardware_concurrency(); }

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
  meta.environment = read_environment(this_machine());
}

}  // namespace assay
