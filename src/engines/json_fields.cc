#include "engines/json_fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace assay {

std::string text_at(const nlohmann::json& json, const char* key) {
  if (!json.is_object()) return {};
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<int64_t> integer_at(const nlohmann::json& json, const char* key) {
  if (!json.is_object()) return std::nullopt;
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<int64_t>();
}

std::optional<bool> flag_at(const nlohmann::json& json, const char* key) {
  if (!json.is_object()) return std::nullopt;
  const auto found = json.find(key);
  if (found == json.end() || !found->is_boolean()) return std::nullopt;
  return found->get<bool>();
}

std::optional<bool> holds_at(const nlohmann::json& json, const char* key, std::string_view text) {
  if (!json.is_object()) return std::nullopt;
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) return std::nullopt;
  return std::any_of(found->begin(), found->end(), [&](const nlohmann::json& item) {
    return item.is_string() && item.get_ref<const std::string&>() == text;
  });
}

}  // namespace assay
