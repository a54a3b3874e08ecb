#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engines/engine.h"

namespace assay {

// What LM Studio's native API says of models: its list, and how it has one loaded.

/// The array under `key`, empty when there is none.
const nlohmann::json& json_list(const nlohmann::json& json, const char* key);

/// Each variant of a model by itself: `key@quantization`, the name that loads exactly it.
std::vector<ModelInfo> lm_studio_listed(const nlohmann::json& answer);

/// `load_config` of a load, `config` of a loaded instance.
LaunchSettings lm_studio_load(const nlohmann::json& config);

/// What is loaded of exactly `model`: `known`, the name that a load of ours was answered with, the
/// identifier itself, and for a model without variants everything under its key.
std::vector<std::string> lm_studio_instances(const nlohmann::json& answer, const std::string& model,
                                             const std::string& known);

}  // namespace assay
