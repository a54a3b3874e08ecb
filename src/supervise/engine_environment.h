#pragma once

#include <string>
#include <vector>

#include "base/secret.h"
#include "supervise/recipe.h"

namespace assay {

/// Everything that an engine of ours finds in its environment: a few variables of ours that say
/// where programs, libraries and devices are, what its recipe adds, and its key. With `gpu_hidden`
/// no driver shows it a GPU.
std::vector<std::string> engine_environment(const Recipe& recipe, const Secret& key,
                                            bool gpu_hidden);

}  // namespace assay
