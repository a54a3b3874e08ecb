#include "engines/json_fields.h"

#include <nlohmann/json.hpp>

namespace assay {
namespace {

template <class Json>
std::string text_in(const Json& json, const char* key) {
  if (!json.is_object()) return {};
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->template get<std::string>()
                                                   : std::string();
}

template <class Json>
std::optional<int64_t> integer_in(const Json& json, const char* key) {
  if (!json.is_object()) return std::nullopt;
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_integer()) return std::nullopt;
  return found->template get<int64_t>();
}

}  // namespace

std::string text_at(const nlohmann::json& json, const char* key) { return text_in(json, key); }
std::string text_at(const nlohmann::ordered_json& json, const char* key) {
  return text_in(json, key);
}
std::optional<int64_t> integer_at(const nlohmann::json& json, const char* key) {
  return integer_in(json, key);
}
std::optional<int64_t> integer_at(const nlohmann::ordered_json& json, const char* key) {
  return integer_in(json, key);
}

}  // namespace assay
