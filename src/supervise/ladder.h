#pragma once

#include <optional>
#include <vector>

#include "model/load_settings.h"

namespace assay {

/// The settings to load a model with, one attempt after the other, the next one when the GPU's
/// memory did not suffice for the last: as asked for, then with 0.7, 0.5 and 0.3 of the layers on
/// the GPU as far as that is fewer, then with none and the GPU hidden. Where nothing was asked for
/// the first attempt is all layers. `layers` are the model's repeating ones; without them there is
/// nothing between the first attempt and the last.
std::vector<LaunchSettings> offload_ladder(const LaunchSettings& requested,
                                           std::optional<int64_t> layers);

}  // namespace assay
