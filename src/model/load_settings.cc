#include "model/load_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"

namespace assay {
namespace {

/// What llama.cpp's caches can be made of.
constexpr std::array<std::string_view, 9> kCacheTypes{"f32",  "f16",    "bf16", "q8_0", "q4_0",
                                                      "q4_1", "iq4_nl", "q5_0", "q5_1"};
constexpr std::array<std::string_view, 3> kFlashAttention{"on", "off", "auto"};

}  // namespace

std::vector<std::string> check_load_settings(const LaunchSettings& s) {
  std::vector<std::string> faults;
  const auto range = [&](const std::optional<int64_t>& value, std::string_view option,
                         int64_t least, int64_t most) {
    if (!value || (*value >= least && *value <= most)) return;
    faults.push_back(fmt::format("--{} must be between {} and {}", option, least, most));
  };
  const auto one_of = [&](const std::optional<std::string>& value, std::string_view option,
                          const auto& known) {
    if (!value || std::find(known.begin(), known.end(), *value) != known.end()) return;
    faults.push_back(
        fmt::format("--{} is {}, not '{}'", option, fmt::join(known, ", "), printable(*value, 40)));
  };
  range(s.threads, "threads", 0, 1024);
  range(s.context_length, "context-length", 1, 1 << 24);
  range(s.parallel, "parallel", 1, 256);
  range(s.gpu_layers, "gpu-layers", 0, 10'000);
  range(s.batch_size, "batch-size", 1, 1 << 20);
  range(s.ubatch_size, "ubatch-size", 1, 1 << 20);
  one_of(s.flash_attention, "flash-attention", kFlashAttention);
  one_of(s.cache_type_k, "cache-type-k", kCacheTypes);
  one_of(s.cache_type_v, "cache-type-v", kCacheTypes);
  if (s.gpu_offload && !(*s.gpu_offload >= 0 && *s.gpu_offload <= 1)) {
    faults.emplace_back("--gpu-offload must be between 0 and 1");
  }
  if (s.gpu_offload && s.gpu_layers) {
    faults.emplace_back("--gpu-layers and --gpu-offload exclude each other");
  }
  return faults;
}

}  // namespace assay
