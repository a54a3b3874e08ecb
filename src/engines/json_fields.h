#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace assay {

// Members of a JSON object as servers send them: of the wrong type is as good as missing.

/// The text, or empty.
std::string text_at(const nlohmann::json& json, const char* key);
/// The whole number, or nothing.
std::optional<int64_t> integer_at(const nlohmann::json& json, const char* key);
/// True or false, or nothing.
std::optional<bool> flag_at(const nlohmann::json& json, const char* key);
/// Whether the member is a list that holds `text`; nothing where it is no list.
std::optional<bool> holds_at(const nlohmann::json& json, const char* key, std::string_view text);

}  // namespace assay
