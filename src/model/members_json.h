#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "model/run.h"

namespace assay {

// Structs with a visit_members() to and from JSON. Any source that includes nlohmann/json.hpp can
// use this header, which does not.

template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

template <class T>
concept Members = requires(T& s) { visit_members(s, [](const char*, auto&) {}); };

/// A value as the ledger has it: a struct by its list of members, what is absent as null.
template <class Json, class T>
Json members_json(const T& value) {
  if constexpr (Members<const T>) {
    Json json = Json::object();
    visit_members(value, [&](const char* key, const auto& member) {
      json[key] = members_json<Json>(member);
    });
    return json;
  } else if constexpr (kIsOptional<T>) {
    return value ? members_json<Json>(*value) : Json(nullptr);
  } else if constexpr (kIsVector<T>) {
    Json list = Json::array();
    for (const auto& item : value) list.push_back(members_json<Json>(item));
    return list;
  } else if constexpr (std::is_enum_v<T>) {
    return to_text(value);
  } else if constexpr (std::same_as<T, DayWindow>) {
    return window_text(value);
  } else if constexpr (std::same_as<T, PlannedCall>) {
    Json call = Json::array({value.leg, value.run_idx, value.stage});
    if (value.restart > 0) call.push_back(value.restart);
    return call;
  } else {
    return value;
  }
}

template <class Json, class T>
void take_member(const Json& json, const char* key, T& out);

/// The other way round. False for a text that stands for no value of its kind; throws the JSON
/// library's exceptions where a type is wrong.
template <class Json, class T>
bool read_members(const Json& json, T& out) {
  if constexpr (Members<T>) {
    visit_members(out, [&](const char* key, auto& member) { take_member(json, key, member); });
  } else if constexpr (kIsOptional<T>) {
    if (!read_members(json, out.emplace())) out.reset();
  } else if constexpr (kIsVector<T>) {
    for (const Json& item : json) {
      if (!read_members(item, out.emplace_back())) out.pop_back();
    }
  } else if constexpr (std::is_enum_v<T>) {
    const auto known = from_text<T>(json.template get<std::string>());
    if (known) out = *known;
    return known.has_value();
  } else if constexpr (std::same_as<T, DayWindow>) {
    const auto window = parse_window(json.template get<std::string>());
    if (window) out = *window;
    return window.has_value();
  } else if constexpr (std::same_as<T, PlannedCall>) {
    out = {json.at(0).template get<int64_t>(), json.at(1).template get<int64_t>(),
           json.at(2).template get<int64_t>(),
           json.size() > 3 ? json.at(3).template get<int64_t>() : 0};
  } else {
    out = json.template get<T>();
  }
  return true;
}

/// Missing and null members keep their defaults, so that older files stay readable.
template <class Json, class T>
void take_member(const Json& json, const char* key, T& out) {
  if (const auto it = json.find(key); it != json.end() && !it->is_null()) read_members(*it, out);
}

}  // namespace assay
