#include <fmt/format.h>

#include <concepts>
#include <nlohmann/json.hpp>

#include "base/ids.h"
#include "model/document_fields.h"
#include "model/json.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

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
template <class T>
Json written(const T& value) {
  if constexpr (Members<const T>) {
    Json json = Json::object();
    visit_members(value, [&](const char* key, const auto& member) { json[key] = written(member); });
    return json;
  } else if constexpr (kIsOptional<T>) {
    return value ? written(*value) : Json(nullptr);
  } else if constexpr (kIsVector<T>) {
    Json list = Json::array();
    for (const auto& item : value) list.push_back(written(item));
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

template <class T>
void take(const Json& json, const char* key, T& out);

/// The other way round. False for a text that stands for no value of its kind.
template <class T>
bool read(const Json& json, T& out) {
  if constexpr (Members<T>) {
    visit_members(out, [&](const char* key, auto& member) { take(json, key, member); });
  } else if constexpr (kIsOptional<T>) {
    if (!read(json, out.emplace())) out.reset();
  } else if constexpr (kIsVector<T>) {
    for (const Json& item : json) {
      if (!read(item, out.emplace_back())) out.pop_back();
    }
  } else if constexpr (std::is_enum_v<T>) {
    const auto known = from_text<T>(json.get<std::string>());
    if (known) out = *known;
    return known.has_value();
  } else if constexpr (std::same_as<T, DayWindow>) {
    const auto window = parse_window(json.get<std::string>());
    if (window) out = *window;
    return window.has_value();
  } else if constexpr (std::same_as<T, PlannedCall>) {
    out = {json.at(0).get<int64_t>(), json.at(1).get<int64_t>(), json.at(2).get<int64_t>(),
           json.size() > 3 ? json.at(3).get<int64_t>() : 0};
  } else {
    out = json.get<T>();
  }
  return true;
}

/// Missing and null members keep their defaults, so that older ledgers stay readable.
template <class T>
void take(const Json& json, const char* key, T& out) {
  if (const auto it = json.find(key); it != json.end() && !it->is_null()) read(*it, out);
}

/// Runs `make` on the parsed line; whatever the JSON library throws becomes an Error.
template <class T, class F>
Result<T> read_document(std::string_view line, std::string_view what, F&& make) {
  try {
    return make(Json::parse(line));
  } catch (const Json::exception& e) {
    return fail(Errc::kProtocol,
                fmt::format("the ledger's {} line is damaged: {}", what, e.what()));
  }
}

/// A ledger that names its cells and says nothing else of them, as source 004's do.
void add_named_cells(const Json& json, RunMeta& m) {
  for (const char* key : {"cells_declared", "cells_planned"}) {
    if (!m.cells.empty()) return;
    std::vector<std::string> ids;
    take(json, key, ids);
    for (std::string& id : ids) {
      Cell cell;
      const size_t first = id.find(':');
      const size_t second = first == std::string::npos ? first : id.find(':', first + 1);
      if (second != std::string::npos) {
        cell.kind = id.substr(first + 1, second - first - 1);
        cell.model = id.substr(second + 1);
      }
      cell.id = std::move(id);
      m.cells.push_back(std::move(cell));
    }
  }
}

}  // namespace

Json settings_json(const CallSettings& settings) { return written(settings); }
Json environment_json(const Environment& environment) { return written(environment); }
Json preflight_json(const std::vector<PreflightCheck>& checks) { return written(checks); }

std::string settings_hash(const CallSettings& settings) {
  return sha256_hex(dump(settings_json(settings))).substr(0, 16);
}

std::string meta_line(const RunMeta& m) {
  std::vector<std::string> planned;
  std::vector<std::string> declared = m.declared_cells;
  for (const Cell& cell : m.cells) {
    if (m.declared_cells.empty()) declared.push_back(cell.id);
    if (cell.unavailable.empty()) planned.push_back(cell.id);
  }
  Json json{{"type", "meta"}};
  const auto add = [&](const char* key, const auto& member) { json[key] = written(member); };
  visit_identity(m, add);
  add("cells_planned", planned);
  add("cells_declared", declared);
  json["schema"] = "assay.ledger/1";
  visit_plan(m, add);
  json["options"] = Json::parse(m.options_json.empty() ? "{}" : m.options_json);
  visit_circumstances(m, add);
  return dump(json);
}

std::string instrument_text(const Instrument& instrument) { return dump(written(instrument)); }

Result<Instrument> read_instrument(std::string_view text) {
  return read_document<Instrument>(text, "instrument", [](const Json& json) {
    Instrument instrument;
    read(json, instrument);
    return instrument;
  });
}

std::string end_line(const RunEnd& e) {
  Json json{{"type", "meta_end"}};
  json.update(written(e));
  return dump(json);
}

std::string resume_line(std::string_view at_utc, int64_t at_ns) {
  return dump({{"type", "resume"}, {"at_utc", at_utc}, {"at_ns", at_ns}});
}

Result<RunMeta> parse_meta(std::string_view line) {
  return read_document<RunMeta>(line, "meta", [](const Json& json) {
    RunMeta m;
    const auto take_member = [&](const char* key, auto& member) { take(json, key, member); };
    visit_identity(m, take_member);
    visit_plan(m, take_member);
    visit_circumstances(m, take_member);
    if (json.contains("options")) m.options_json = dump(json["options"]);
    add_named_cells(json, m);
    if (json.contains("schema")) take(json, "cells_declared", m.declared_cells);
    return m;
  });
}

Result<RunEnd> parse_end(std::string_view line) {
  return read_document<RunEnd>(line, "meta_end", [](const Json& json) {
    RunEnd e;
    read(json, e);
    return e;
  });
}

}  // namespace assay
