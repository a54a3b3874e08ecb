#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace assay {

// Members of a JSON object as servers send them: of the wrong type is as good as missing.

/// The text, or empty.
std::string text_at(const nlohmann::json& json, const char* key);
/// The whole number, or nothing.
std::optional<int64_t> integer_at(const nlohmann::json& json, const char* key);

}  // namespace assay
