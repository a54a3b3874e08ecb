#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/ids.h"
#include "model/circumstances_json.h"
#include "model/import_json.h"
#include "model/json.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class T>
Json as_json(const T& value) {
  return value;
}
template <class T>
Json as_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <class T>
void take(const Json& json, const char* key, T& out) {
  if (const auto it = json.find(key); it != json.end() && !it->is_null()) out = it->get<T>();
}
template <class T>
void take(const Json& json, const char* key, std::optional<T>& out) {
  if (const auto it = json.find(key); it != json.end() && !it->is_null()) out = it->get<T>();
}

template <class T, class F>
Json optional_json(const std::optional<T>& value, F&& one) {
  return value ? one(*value) : Json(nullptr);
}

/// Nothing where the key is missing or null.
template <class T, class F>
void take_optional(const Json& json, const char* key, std::optional<T>& out, F&& one) {
  if (const auto it = json.find(key); it != json.end() && !it->is_null()) out = one(*it);
}

Json calibration_json(const Calibration& c) {
  return {{"concurrency", c.concurrency},
          {"bias_p50_ms", c.bias_p50_ms},
          {"bias_p99_ms", c.bias_p99_ms},
          {"events_per_sec", c.events_per_sec},
          {"measured_at_utc", c.measured_at_utc}};
}

Calibration parse_calibration(const Json& json) {
  Calibration c;
  take(json, "concurrency", c.concurrency);
  take(json, "bias_p50_ms", c.bias_p50_ms);
  take(json, "bias_p99_ms", c.bias_p99_ms);
  take(json, "events_per_sec", c.events_per_sec);
  take(json, "measured_at_utc", c.measured_at_utc);
  return c;
}

Json machine_json(const MachineCeiling& m) {
  return {{"threads", m.threads},
          {"bytes", m.bytes},
          {"bytes_per_sec", m.bytes_per_sec},
          {"operations_per_sec", m.operations_per_sec},
          {"measured_at_utc", m.measured_at_utc}};
}

MachineCeiling parse_machine(const Json& json) {
  MachineCeiling m;
  take(json, "threads", m.threads);
  take(json, "bytes", m.bytes);
  take(json, "bytes_per_sec", m.bytes_per_sec);
  take(json, "operations_per_sec", m.operations_per_sec);
  take(json, "measured_at_utc", m.measured_at_utc);
  return m;
}

Json instrument_json(const Instrument& i) {
  return {{"calibration", optional_json(i.calibration, calibration_json)},
          {"machine", optional_json(i.machine, machine_json)}};
}

Instrument parse_instrument(const Json& json) {
  Instrument i;
  take_optional(json, "calibration", i.calibration, parse_calibration);
  take_optional(json, "machine", i.machine, parse_machine);
  return i;
}

Json cost_json(const TokenCost& c) {
  return {{"weight_bytes", c.weight_bytes},
          {"context_bytes", c.context_bytes},
          {"operations", c.operations}};
}

TokenCost parse_cost(const Json& json) {
  TokenCost c;
  take(json, "weight_bytes", c.weight_bytes);
  take(json, "context_bytes", c.context_bytes);
  take(json, "operations", c.operations);
  return c;
}

Json counters_json(const ServerCounters& c) {
  return {{"url", c.url},
          {"prompt_tokens", as_json(c.prompt_tokens)},
          {"output_tokens", as_json(c.output_tokens)}};
}

ServerCounters parse_counters(const Json& json) {
  ServerCounters c;
  take(json, "url", c.url);
  take(json, "prompt_tokens", c.prompt_tokens);
  take(json, "output_tokens", c.output_tokens);
  return c;
}

CallSettings parse_settings(const Json& json) {
  CallSettings s;
  take(json, "max_tokens", s.max_tokens);
  take(json, "fixed_length", s.fixed_length);
  take(json, "temperature", s.temperature);
  take(json, "top_p", s.top_p);
  take(json, "top_k", s.top_k);
  take(json, "seed", s.seed);
  take(json, "context_length", s.context_length);
  return s;
}

Json cell_json(const Cell& c) {
  return {{"id", c.id},
          {"kind", c.kind},
          {"url", c.url},
          {"model", c.model},
          {"version", c.version},
          {"quantization", c.quantization},
          {"model_bytes", as_json(c.model_bytes)},
          {"context_length", as_json(c.context_length)},
          {"digest", c.digest},
          {"managed", c.managed},
          {"random_weights", c.random_weights},
          {"load_ms", as_json(c.load_ms)},
          {"threads", as_json(c.threads)},
          {"memory_bytes", as_json(c.memory_bytes)},
          {"slots", as_json(c.slots)},
          {"token_cost", optional_json(c.token_cost, cost_json)},
          {"variant", c.variant},
          {"estimated_prefill_tps", as_json(c.estimated_prefill_tps)},
          {"estimated_decode_tps", as_json(c.estimated_decode_tps)},
          {"tokens_per_word", as_json(c.tokens_per_word)},
          {"prompt_overhead", as_json(c.prompt_overhead)},
          {"unavailable", c.unavailable},
          {"routed_from", c.routed_from},
          {"cold_kind", c.cold_kind},
          {"max_rate", as_json(c.max_rate)},
          {"windows", windows_json(c.windows)},
          {"patterns", c.patterns},
          {"expect", references_json(c.expect)}};
}

Cell parse_cell(const Json& json) {
  Cell c;
  take(json, "id", c.id);
  take(json, "kind", c.kind);
  take(json, "url", c.url);
  take(json, "model", c.model);
  take(json, "version", c.version);
  take(json, "quantization", c.quantization);
  take(json, "model_bytes", c.model_bytes);
  take(json, "context_length", c.context_length);
  take(json, "digest", c.digest);
  take(json, "managed", c.managed);
  take(json, "random_weights", c.random_weights);
  take(json, "load_ms", c.load_ms);
  take(json, "threads", c.threads);
  take(json, "memory_bytes", c.memory_bytes);
  take(json, "slots", c.slots);
  take_optional(json, "token_cost", c.token_cost, parse_cost);
  take(json, "variant", c.variant);
  take(json, "estimated_prefill_tps", c.estimated_prefill_tps);
  take(json, "estimated_decode_tps", c.estimated_decode_tps);
  take(json, "tokens_per_word", c.tokens_per_word);
  take(json, "prompt_overhead", c.prompt_overhead);
  take(json, "unavailable", c.unavailable);
  take(json, "routed_from", c.routed_from);
  take(json, "cold_kind", c.cold_kind);
  take(json, "max_rate", c.max_rate);
  if (json.contains("windows")) c.windows = parse_windows(json["windows"]);
  take(json, "patterns", c.patterns);
  if (json.contains("expect")) c.expect = parse_references(json["expect"]);
  return c;
}

Json prompt_json(const Prompt& p) {
  return {{"id", p.id},
          {"sha256", p.sha256},
          {"salt", to_text(p.salt)},
          {"target_tokens", as_json(p.target_tokens)},
          {"max_tokens", as_json(p.max_tokens)},
          {"frozen", p.frozen},
          {"text", p.text}};
}

Prompt parse_prompt(const Json& json) {
  Prompt p;
  take(json, "id", p.id);
  take(json, "sha256", p.sha256);
  if (json.contains("salt")) {
    p.salt = from_text<Prompt::Salt>(json["salt"].get<std::string>()).value_or(Prompt::Salt::kNone);
  }
  take(json, "target_tokens", p.target_tokens);
  take(json, "max_tokens", p.max_tokens);
  take(json, "frozen", p.frozen);
  take(json, "text", p.text);
  return p;
}

Json leg_json(const Leg& l) {
  return {{"cell", l.cell},
          {"prompt", l.prompt},
          {"phase", to_text(l.phase)},
          {"concurrency", l.concurrency},
          {"request_rate", as_json(l.request_rate)},
          {"arrivals", to_text(l.arrivals)},
          {"calls", l.calls},
          {"settings", settings_json(l.settings)},
          {"settings_hash", l.settings_hash},
          {"skip", l.skip}};
}

Leg parse_leg(const Json& json) {
  Leg l;
  take(json, "cell", l.cell);
  take(json, "prompt", l.prompt);
  if (json.contains("phase")) {
    l.phase = from_text<Phase>(json["phase"].get<std::string>()).value_or(Phase::kMeasure);
  }
  take(json, "concurrency", l.concurrency);
  take(json, "request_rate", l.request_rate);
  if (json.contains("arrivals")) {
    l.arrivals =
        from_text<Arrivals>(json["arrivals"].get<std::string>()).value_or(Arrivals::kConstant);
  }
  take(json, "calls", l.calls);
  if (json.contains("settings")) l.settings = parse_settings(json["settings"]);
  take(json, "settings_hash", l.settings_hash);
  take(json, "skip", l.skip);
  return l;
}

template <class T, class F>
Json list_json(const std::vector<T>& items, F&& one) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(one(item));
  return list;
}

template <class T, class F>
void parse_list(const Json& json, const char* key, std::vector<T>& out, F&& one) {
  if (!json.contains(key)) return;
  for (const Json& item : json[key]) out.push_back(one(item));
}

/// Runs `read` on the parsed line; whatever the JSON library throws becomes an Error.
template <class T, class F>
Result<T> read_document(std::string_view line, std::string_view what, F&& read) {
  try {
    return read(Json::parse(line));
  } catch (const Json::exception& e) {
    return fail(Errc::kProtocol,
                fmt::format("the ledger's {} line is damaged: {}", what, e.what()));
  }
}

}  // namespace

Json settings_json(const CallSettings& s) {
  return {{"max_tokens", as_json(s.max_tokens)},
          {"fixed_length", s.fixed_length},
          {"temperature", as_json(s.temperature)},
          {"top_p", as_json(s.top_p)},
          {"top_k", as_json(s.top_k)},
          {"seed", as_json(s.seed)},
          {"context_length", as_json(s.context_length)}};
}

std::string settings_hash(const CallSettings& settings) {
  return sha256_hex(dump(settings_json(settings))).substr(0, 16);
}

std::string meta_line(const RunMeta& m) {
  Json cells_planned = Json::array();
  Json cells_declared = m.declared_cells;
  for (const Cell& cell : m.cells) {
    if (m.declared_cells.empty()) cells_declared.push_back(cell.id);
    if (cell.unavailable.empty()) cells_planned.push_back(cell.id);
  }
  Json json{{"type", "meta"},
            {"benchmark_run_id", m.run_id},
            {"git_sha", m.git_sha},
            {"git_dirty", as_json(m.git_dirty)},
            {"harness_version", m.harness_version},
            {"started_at_utc", m.started_at_utc},
            {"host", m.host},
            {"load_avg_start", m.load_avg_start},
            {"env_route", as_json(m.env_route)},
            {"env_llamacpp_url", as_json(m.env_llamacpp_url)},
            {"cells_planned", cells_planned},
            {"cells_declared", cells_declared},
            {"schema", "assay.ledger/1"},
            {"assay_version", m.assay_version},
            {"started_wall_ns", m.started_wall_ns},
            {"suite", m.suite},
            {"suite_rev", m.suite_rev},
            {"seed", m.seed},
            {"budget_s", as_json(m.budget_s)},
            {"labels", m.labels},
            {"notes", m.notes},
            {"options", Json::parse(m.options_json.empty() ? "{}" : m.options_json)},
            {"instrument", instrument_json(m.instrument)},
            {"cells", list_json(m.cells, cell_json)},
            {"prompts", list_json(m.prompts, prompt_json)},
            {"legs", list_json(m.legs, leg_json)},
            {"calls", list_json(m.calls,
                                [](const PlannedCall& c) {
                                  Json call = Json::array({c.leg, c.run_idx, c.stage});
                                  if (c.restart > 0) call.push_back(c.restart);
                                  return call;
                                })},
            {"git_changes", m.git_changes},
            {"preflight", preflight_json(m.preflight)},
            {"environment", optional_json(m.environment, environment_json)}};
  if (m.imported) json["imported"] = imported_json(*m.imported);
  return dump(json);
}

std::string instrument_text(const Instrument& instrument) {
  return dump(instrument_json(instrument));
}

Result<Instrument> read_instrument(std::string_view text) {
  return read_document<Instrument>(text, "instrument",
                                   [](const Json& json) { return parse_instrument(json); });
}

std::string end_line(const RunEnd& e) {
  return dump({{"type", "meta_end"},
               {"state", e.state},
               {"finished_at_utc", e.finished_at_utc},
               {"load_avg_end", e.load_avg_end},
               {"wall_s", as_json(e.wall_s)},
               {"loop_lag_p99_ms", as_json(e.loop_lag_p99_ms)},
               {"loop_lag_max_ms", as_json(e.loop_lag_max_ms)},
               {"in_flight_s", as_json(e.in_flight_s)},
               {"server_counters", list_json(e.server_counters, counters_json)}});
}

std::string resume_line(std::string_view at_utc, int64_t at_ns) {
  return dump({{"type", "resume"}, {"at_utc", at_utc}, {"at_ns", at_ns}});
}

namespace {

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

Result<RunMeta> parse_meta(std::string_view line) {
  return read_document<RunMeta>(line, "meta", [](const Json& json) {
    RunMeta m;
    take(json, "benchmark_run_id", m.run_id);
    take(json, "git_sha", m.git_sha);
    take(json, "git_dirty", m.git_dirty);
    take(json, "harness_version", m.harness_version);
    take(json, "assay_version", m.assay_version);
    take(json, "started_at_utc", m.started_at_utc);
    take(json, "started_wall_ns", m.started_wall_ns);
    take(json, "host", m.host);
    take(json, "load_avg_start", m.load_avg_start);
    take(json, "env_route", m.env_route);
    take(json, "env_llamacpp_url", m.env_llamacpp_url);
    take(json, "suite", m.suite);
    take(json, "suite_rev", m.suite_rev);
    take(json, "seed", m.seed);
    take(json, "budget_s", m.budget_s);
    take(json, "labels", m.labels);
    take(json, "notes", m.notes);
    if (json.contains("options")) m.options_json = dump(json["options"]);
    if (json.contains("instrument")) m.instrument = parse_instrument(json["instrument"]);
    parse_list(json, "cells", m.cells, parse_cell);
    add_named_cells(json, m);
    parse_list(json, "prompts", m.prompts, parse_prompt);
    parse_list(json, "legs", m.legs, parse_leg);
    parse_list(json, "calls", m.calls, [](const Json& c) {
      return PlannedCall{c.at(0).get<int64_t>(), c.at(1).get<int64_t>(), c.at(2).get<int64_t>(),
                         c.size() > 3 ? c.at(3).get<int64_t>() : 0};
    });
    if (json.contains("schema")) take(json, "cells_declared", m.declared_cells);
    take(json, "git_changes", m.git_changes);
    if (json.contains("preflight")) m.preflight = parse_preflight(json["preflight"]);
    take_optional(json, "environment", m.environment, parse_environment);
    if (json.contains("imported")) m.imported = parse_imported(json["imported"]);
    return m;
  });
}

Result<RunEnd> parse_end(std::string_view line) {
  return read_document<RunEnd>(line, "meta_end", [](const Json& json) {
    RunEnd e;
    take(json, "state", e.state);
    take(json, "finished_at_utc", e.finished_at_utc);
    take(json, "load_avg_end", e.load_avg_end);
    take(json, "wall_s", e.wall_s);
    take(json, "loop_lag_p99_ms", e.loop_lag_p99_ms);
    take(json, "loop_lag_max_ms", e.loop_lag_max_ms);
    take(json, "in_flight_s", e.in_flight_s);
    parse_list(json, "server_counters", e.server_counters, parse_counters);
    return e;
  });
}

}  // namespace assay
