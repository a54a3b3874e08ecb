#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "engines/engine.h"

namespace assay {

// What llama-server says of its models, in the words of this project.

/// `Q4_K_M` for llama.cpp's `Q4_K - Medium`, `F32` for `all F32`; what it guessed or measured
/// beside it is left out.
std::string quantization_name(std::string_view ftype);

/// Adds what /props tells of the model that is loaded: context, slots, quantisation, file, what it
/// takes.
void add_props(const nlohmann::json& props, ModelInfo& model);

/// An entry of /v1/models; in router mode models that are not loaded are among them.
ModelInfo llama_server_listed(const nlohmann::json& item);

/// The load settings in the arguments that a router starts a model's process with. Those that leave
/// a choice to the process are not settings.
LaunchSettings arguments_load(const nlohmann::json& arguments);

}  // namespace assay
