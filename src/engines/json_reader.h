#pragma once

#include <simdjson.h>

#include <cstring>
#include <optional>
#include <string_view>

namespace assay {

/// Small helpers over simdjson on-demand for reading stream events. Members are visited in the
/// order in which they come, each once.
namespace json_reader {

namespace od = simdjson::ondemand;

/// Whether the key is exactly `name`. Keys written with escapes do not match, which no server does.
inline bool is(od::raw_json_string key, std::string_view name) {
  return std::memcmp(key.raw(), name.data(), name.size()) == 0 && key.raw()[name.size()] == '"';
}

/// Whether the value is null. One that only begins like null is not.
inline bool is_null(od::value value) {
  bool null = false;
  return !value.is_null().get(null) && null;
}

/// The string, or nothing when the value is null or of another type.
inline std::string_view text_or_empty(od::value value) {
  std::string_view text;
  if (is_null(value) || value.get_string().get(text)) return {};
  return text;
}

/// A count between 0 and 1e9. Other numbers set `bad`; null and other types are simply absent.
inline std::optional<int64_t> count(od::value value, bool& bad) {
  constexpr double kMost = 1e9;
  double number = 0;
  if (is_null(value) || value.get_double().get(number)) return std::nullopt;
  if (!(number >= 0 && number <= kMost)) {
    bad = true;
    return std::nullopt;
  }
  return static_cast<int64_t>(number);
}

/// A number of at least zero, or nothing.
inline std::optional<double> amount(od::value value) {
  double number = 0;
  if (is_null(value) || value.get_double().get(number) || !(number >= 0)) return std::nullopt;
  return number;
}

/// Visits each member of the object that `value` is. False when it is none, or is damaged.
template <class Visit>
bool each_member(od::value value, Visit&& visit) {
  od::object object;
  if (value.get_object().get(object)) return false;
  for (auto member : object) {
    od::raw_json_string key;
    od::value inner;
    if (member.error() || member.key().get(key) || member.value().get(inner)) return false;
    if (!visit(key, inner)) return false;
  }
  return true;
}

/// Parses `payload` and visits each member of its outermost object. The text views that `visit`
/// takes live until the next call on this thread.
template <class Visit>
bool each_top_member(std::string_view payload, size_t& error_at, Visit&& visit) {
  thread_local od::parser parser;
  thread_local std::string padded;
  padded.assign(payload);
  // Filled, since a damaged document is read a little past its end: never what was there before.
  padded.append(simdjson::SIMDJSON_PADDING, ' ');
  od::document document;
  od::object object;
  error_at = 0;
  if (parser.iterate(padded.data(), payload.size(), padded.size()).get(document)) return false;
  const auto stop = [&] {
    const char* at = nullptr;
    if (!document.current_location().get(at) && at >= padded.data()) {
      error_at = static_cast<size_t>(at - padded.data());
    }
    return false;
  };
  if (document.get_object().get(object)) return stop();
  for (auto member : object) {
    od::raw_json_string key;
    od::value inner;
    if (member.error() || member.key().get(key) || member.value().get(inner)) return stop();
    if (!visit(key, inner)) return stop();
  }
  const char* rest = nullptr;  // Something behind the object: it was no single document.
  return document.current_location().get(rest) == simdjson::OUT_OF_BOUNDS || stop();
}

}  // namespace json_reader
}  // namespace assay
