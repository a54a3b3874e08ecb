#include "supervise/ladder.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace assay {
namespace {

constexpr std::array kShares{1.0, 0.7, 0.5, 0.3};
/// More than any model has: all of them.
constexpr int64_t kAllLayers = 999;

LaunchSettings with_layers(LaunchSettings settings, int64_t gpu_layers) {
  settings.gpu_layers = gpu_layers;
  settings.gpu_offload.reset();
  return settings;
}

}  // namespace

std::vector<LaunchSettings> offload_ladder(const LaunchSettings& requested,
                                           std::optional<int64_t> layers) {
  // llama.cpp counts the output layer as one more.
  const std::optional<int64_t> all = layers ? std::optional(*layers + 1) : std::nullopt;
  const auto part = [&](double share) {
    return static_cast<int64_t>(std::floor(share * static_cast<double>(*all) + 1e-9));
  };
  int64_t first = all.value_or(kAllLayers);
  if (requested.gpu_layers) first = *requested.gpu_layers;
  if (requested.gpu_offload && *requested.gpu_offload == 0) first = 0;
  if (requested.gpu_offload && all) first = part(*requested.gpu_offload);
  if (all) first = std::min(first, *all);

  std::vector<LaunchSettings> rungs{with_layers(requested, first)};
  if (first == 0) return rungs;
  for (const double share : kShares) {
    if (!all || part(share) >= *rungs.back().gpu_layers || part(share) == 0) continue;
    rungs.push_back(with_layers(requested, part(share)));
  }
  LaunchSettings processor = with_layers(requested, 0);
  processor.gpu_hidden = true;
  rungs.push_back(std::move(processor));
  return rungs;
}

}  // namespace assay
