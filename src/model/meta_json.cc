#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "model/document_fields.h"
#include "model/json.h"
#include "model/members_json.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Moves each planned call out of the document while it is parsed: a plan may hold a million.
Json::parser_callback_t plan_filter(std::vector<PlannedCall>& calls) {
  return [&calls, in_plan = false](int depth, Json::parse_event_t event, Json& parsed) mutable {
    if (depth == 1 && event == Json::parse_event_t::key) in_plan = parsed == "calls";
    if (!in_plan || depth != 2 || event != Json::parse_event_t::array_end) return true;
    read_members(parsed, calls.emplace_back());
    return false;
  };
}

/// Runs `make` on the parsed line; whatever the JSON library throws becomes an Error.
template <class T, class F>
Result<T> read_document(std::string_view line, std::string_view what, F&& make,
                        const Json::parser_callback_t& filter = nullptr) {
  try {
    return make(Json::parse(line, filter));
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
    take_member(json, key, ids);
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

Json settings_json(const CallSettings& settings) { return members_json<Json>(settings); }
Json environment_json(const Environment& environment) { return members_json<Json>(environment); }
Json preflight_json(const std::vector<PreflightCheck>& checks) {
  return members_json<Json>(checks);
}

Json load_settings_json(const LaunchSettings& settings) { return members_json<Json>(settings); }
Json load_attempts_json(const std::vector<LoadAttempt>& attempts) {
  return members_json<Json>(attempts);
}
Json load_history_json(const LoadHistory& history) { return members_json<Json>(history); }

Result<LoadHistory> read_load_history(std::string_view text) {
  return read_document<LoadHistory>(text, "load", [](const Json& json) {
    LoadHistory history;
    read_members(json, history);
    return history;
  });
}

std::string settings_hash(const CallSettings& settings, const std::optional<LaunchSettings>& load) {
  const auto without_unknown = [](Json load_json) {
    for (const char* later : {"projector", "kv_offload"}) {
      if (load_json.is_object() && load_json[later].is_null()) load_json.erase(later);
    }
    return load_json;
  };
  Json json = settings_json(settings);
  // Came later than the others: hashes of ledgers that do not know them stay what they were.
  for (const char* later : {"cache_prompt", "think", "load"}) {
    if (json[later].is_null()) json.erase(later);
  }
  if (json.contains("load")) json["load"] = without_unknown(json["load"]);
  if (load) {
    json = {{"call", std::move(json)}, {"load", without_unknown(members_json<Json>(*load))}};
  }
  return sha256_hex(dump(json)).substr(0, 16);
}

std::string meta_line(const RunMeta& m) {
  std::vector<std::string> planned;
  std::vector<std::string> declared = m.declared_cells;
  for (const Cell& cell : m.cells) {
    if (m.declared_cells.empty()) declared.push_back(cell.id);
    if (cell.unavailable.empty()) planned.push_back(cell.id);
  }
  Json json{{"type", "meta"}};
  const auto add = [&](const char* key, const auto& member) {
    json[key] = members_json<Json>(member);
  };
  visit_identity(m, add);
  add("cells_planned", planned);
  add("cells_declared", declared);
  json["schema"] = "assay.ledger/1";
  visit_plan(m, add);
  json["options"] = Json::parse(m.options_json.empty() ? "{}" : m.options_json);
  visit_circumstances(m, add);
  return dump(json);
}

std::string instrument_text(const Instrument& instrument) {
  return dump(members_json<Json>(instrument));
}

Result<Instrument> read_instrument(std::string_view text) {
  return read_document<Instrument>(text, "instrument", [](const Json& json) {
    Instrument instrument;
    read_members(json, instrument);
    return instrument;
  });
}

std::string end_line(const RunEnd& e) {
  Json json{{"type", "meta_end"}};
  json.update(members_json<Json>(e));
  return dump(json);
}

std::string wait_line(const CoolingWait& wait) {
  Json json{{"type", "wait"}};
  json.update(members_json<Json>(wait));
  return dump(json);
}

std::string load_line(const CellLoad& load) {
  Json json{{"type", "load"}};
  json.update(members_json<Json>(load));
  return dump(json);
}

std::string resume_line(std::string_view at_utc, int64_t at_ns) {
  return dump({{"type", "resume"}, {"at_utc", at_utc}, {"at_ns", at_ns}});
}

Result<RunMeta> parse_meta(std::string_view line) {
  std::vector<PlannedCall> calls;
  const auto make = [&calls](const Json& json) {
    RunMeta m;
    const auto take = [&](const char* key, auto& member) { take_member(json, key, member); };
    visit_identity(m, take);
    visit_plan(m, take);
    visit_circumstances(m, take);
    if (json.contains("options")) m.options_json = dump(json["options"]);
    add_named_cells(json, m);
    if (json.contains("schema")) take("cells_declared", m.declared_cells);
    m.calls = std::move(calls);
    return m;
  };
  return read_document<RunMeta>(line, "meta", make, plan_filter(calls));
}

Result<RunEnd> parse_end(std::string_view line) {
  return read_document<RunEnd>(line, "meta_end", [](const Json& json) {
    RunEnd e;
    read_members(json, e);
    return e;
  });
}

Result<CoolingWait> parse_wait(std::string_view line) {
  return read_document<CoolingWait>(line, "wait", [](const Json& json) {
    CoolingWait wait;
    read_members(json, wait);
    return wait;
  });
}

Result<CellLoad> parse_load(std::string_view line) {
  return read_document<CellLoad>(line, "load", [](const Json& json) {
    CellLoad load;
    read_members(json, load);
    return load;
  });
}

}  // namespace assay
