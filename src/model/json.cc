#include "model/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/ids.h"
#include "base/text.h"
#include "model/fields.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;
namespace od = simdjson::ondemand;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// ---- writing call lines: straight into text, since many calls may end at the same moment ----

void append(std::string& line, std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
  });
  if (plain) {
    line.append(1, '"').append(text).append(1, '"');
  } else {
    line += dump(std::string(text));
  }
}
void append(std::string& line, int64_t value) { line += fmt::format_int(value).c_str(); }
void append(std::string& line, bool value) { line += value ? "true" : "false"; }
void append(std::string& line, double value) {
  if (!std::isfinite(value)) {
    line += "null";
    return;
  }
  const size_t start = line.size();
  fmt::format_to(std::back_inserter(line), "{}", value);
  if (line.find_first_of(".e", start) == std::string::npos) line += ".0";
}
void append(std::string& line, const std::vector<std::string>& texts) {
  line += '[';
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) line += ',';
    append(line, texts[i]);
  }
  line += ']';
}
template <class E>
  requires std::is_enum_v<E>
void append(std::string& line, const E& value) {
  append(line, to_text(value));
}
template <class T>
void append(std::string& line, const std::optional<T>& value) {
  if (value) {
    append(line, *value);
  } else {
    line += "null";
  }
}
template <class S>
void append(std::string& line, const Base64<S>& value) {
  line.append(1, '"').append(base64_encode(value.bytes)) += '"';
}

// ---- reading call lines: simdjson, since a ledger may hold a million of them ----

bool read_value(od::value v, std::string& out) {
  std::string_view text;
  if (v.get_string().get(text)) return false;
  out = text;
  return true;
}
bool read_value(od::value v, int64_t& out) { return !v.get_int64().get(out); }
bool read_value(od::value v, double& out) { return !v.get_double().get(out); }
bool read_value(od::value v, bool& out) { return !v.get_bool().get(out); }
bool read_value(od::value v, std::vector<std::string>& out) {
  od::array items;
  if (v.get_array().get(items)) return false;
  for (auto item : items) {
    std::string_view text;
    if (item.get_string().get(text)) return false;
    out.emplace_back(text);
  }
  return true;
}
template <class E>
  requires std::is_enum_v<E>
bool read_value(od::value v, E& out) {
  std::string_view text;
  if (v.get_string().get(text)) return false;
  const auto known = from_text<E>(text);
  if (known) out = *known;
  return known.has_value();
}
template <class T>
bool read_value(od::value v, std::optional<T>& out) {
  bool null = false;
  if (v.is_null().get(null)) return false;
  return null || read_value(v, out.emplace());
}
template <class S>
bool read_value(od::value v, Base64<S> out) {
  std::string_view text;
  if (v.get_string().get(text)) return false;
  auto bytes = base64_decode(text);
  if (!bytes) return false;
  out.bytes = std::move(*bytes);
  return true;
}

}  // namespace

std::string call_line(const CallRecord& record) {
  std::string line = R"({"type":"call")";
  visit_fields(record, [&](const char* name, const auto& value) {
    line += ",\"";
    line += name;
    line += "\":";
    append(line, value);
  });
  line += '}';
  return line;
}

Result<LineType> line_type(std::string_view line) {
  // Every writer of this format puts `type` first; the slow way is for foreign ledgers.
  constexpr std::string_view kCall = R"({"type":"call")";
  constexpr std::string_view kMeta = R"({"type":"meta",)";
  if (line.starts_with(kCall)) return LineType::kCall;
  if (line.starts_with(kMeta)) return LineType::kMeta;
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("type") || !json["type"].is_string()) {
    return fail(Errc::kProtocol, "the ledger's line is no JSON object with a type");
  }
  const auto& type = json["type"].get_ref<const std::string&>();
  if (type == "call") return LineType::kCall;
  if (type == "meta") return LineType::kMeta;
  if (type == "wait") return LineType::kWait;
  if (type == "load") return LineType::kLoad;
  if (type == "resume") return LineType::kResume;
  if (type == "meta_end") return LineType::kEnd;
  return LineType::kUnknown;
}

Result<CallRecord> parse_call(std::string_view line) {
  thread_local od::parser parser;
  thread_local std::string padded;
  padded.assign(line);
  // Filled, since a damaged line is read a little past its end: never what was there before.
  padded.append(simdjson::SIMDJSON_PADDING, ' ');
  od::document document;
  od::object object;
  if (parser.iterate(padded.data(), line.size(), padded.size()).get(document) ||
      document.get_object().get(object)) {
    return fail(Errc::kProtocol, "the ledger's call line is no JSON object");
  }
  CallRecord record;
  std::string bad;
  bool has_outcome = false;
  visit_fields(record, [&](const char* name, auto&& member) {
    if (!bad.empty()) return;  // After an error the parser's state must not be touched again.
    od::value value;
    const auto error = object.find_field_unordered(name).get(value);
    if (error == simdjson::NO_SUCH_FIELD) return;
    if (error || !read_value(value, member)) bad = name;
    has_outcome |= std::is_same_v<std::remove_cvref_t<decltype(member)>, Outcome>;
  });
  if (!bad.empty()) {
    return fail(Errc::kProtocol, fmt::format("the ledger's call line has a damaged '{}'", bad));
  }
  // Source 004's own ledgers tell it by `error` alone.
  if (!has_outcome && record.phase != Phase::kSkipped) {
    record.outcome = record.error ? Outcome::kError : Outcome::kOk;
  }
  return record;
}

}  // namespace assay
