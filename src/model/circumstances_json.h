#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "model/run.h"

namespace assay {

/// Parts of the meta line: what a file of cells says, the checks before a run, and the machine.
/// Reading throws what the JSON library throws, for whoever reads the whole line.
nlohmann::ordered_json windows_json(const std::vector<DayWindow>& windows);
std::vector<DayWindow> parse_windows(const nlohmann::ordered_json& json);

nlohmann::ordered_json references_json(const std::vector<Reference>& references);
std::vector<Reference> parse_references(const nlohmann::ordered_json& json);

nlohmann::ordered_json preflight_json(const std::vector<PreflightCheck>& checks);
std::vector<PreflightCheck> parse_preflight(const nlohmann::ordered_json& json);

nlohmann::ordered_json environment_json(const Environment& environment);
Environment parse_environment(const nlohmann::ordered_json& json);

}  // namespace assay
