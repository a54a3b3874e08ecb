#include "model/json.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "reports/builtin.h"
#include "reports/headcount_table.h"
#include "reports/run_document.h"
#include "reports/sustained_text.h"
#include "reports/telemetry_json.h"
#include "reports/weights_groups.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kDecimals = 1e6;
constexpr size_t kMaxText = 4000;

/// Six decimals: nanoseconds of a millisecond. Never NaN, infinite or a negative zero.
Json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  const double rounded = std::round(value * kDecimals) / kDecimals;
  return rounded == 0 ? 0.0 : rounded;
}
Json number(std::optional<double> value) { return value ? number(*value) : Json(nullptr); }
Json whole(std::optional<int64_t> value) { return value ? Json(*value) : Json(nullptr); }
Json text(std::string_view value) { return printable(value, kMaxText); }
Json text_or_null(std::string_view value) { return value.empty() ? Json(nullptr) : text(value); }
Json interval(const std::optional<Interval>& value) {
  if (!value) return nullptr;
  return Json::array({number(value->low), number(value->high)});
}

Json load_json(const std::optional<LaunchSettings>& settings) {
  return settings ? load_settings_json(*settings) : Json(nullptr);
}

/// The options that tell the cell's combination apart, as they were given.
Json matrix_json(const Cell& c) {
  Json matrix = Json::object();
  for (const std::string& setting : c.matrix) {
    const size_t equals = std::min(setting.find('='), setting.size() - 1);
    matrix[setting.substr(0, equals)] = text(std::string_view(setting).substr(equals + 1));
  }
  return matrix;
}

Json cell_json(const Cell& c) {
  return {{"id", text(c.id)},
          {"kind", text(c.kind)},
          {"model", text(c.model)},
          {"version", text_or_null(c.version)},
          {"quantization", text_or_null(c.quantization)},
          {"model_bytes", whole(c.model_bytes)},
          {"context_length", whole(c.context_length)},
          {"digest", text_or_null(c.digest)},
          {"managed", c.managed},
          {"random_weights", c.random_weights},
          {"load_ms", number(c.load_ms)},
          {"threads", whole(c.threads)},
          {"launcher", text_or_null(c.launcher)},
          {"load_requested", load_json(c.load_requested)},
          {"load_effective", load_json(c.load_effective)},
          {"load_refused", c.load_refused},
          {"load_attempts", load_attempts_json(c.load_attempts)},
          {"unavailable", text_or_null(c.unavailable)},
          {"known_in", text_or_null(c.known_in)},
          {"matrix", matrix_json(c)},
          {"weights", text_or_null(c.weights)},
          {"fingerprint", text_or_null(c.fingerprint)}};
}

Json arrivals_json(const std::optional<ArrivalAudit>& a) {
  if (!a) return nullptr;
  return {{"calls", a->calls},
          {"rate", number(a->rate)},
          {"variation", number(a->variation)},
          {"dispersion", number(a->dispersion)},
          {"lag1", number(a->lag1)},
          {"late_p99_ms", number(a->late_p99_ms)},
          {"late", a->late},
          {"dropped", a->dropped}};
}

Json imported_json(const std::optional<ImportSource>& source) {
  if (!source) return nullptr;
  Json reported = Json::array();
  for (const ReportedFigure& f : source->reported) {
    reported.push_back({{"of", text(f.of)},
                        {"name", text(f.name)},
                        {"unit", text(f.unit)},
                        {"value", number(f.value)}});
  }
  Json definitions = Json::array();
  for (const std::string& definition : source->definitions) definitions.push_back(text(definition));
  return {{"tool", text(source->tool)},
          {"version", text_or_null(source->version)},
          {"file", text(source->file)},
          {"sha256", source->sha256},
          {"imported_at_utc", source->imported_at_utc},
          {"definitions", std::move(definitions)},
          {"reported", std::move(reported)}};
}

Json measurement_json(const Measurement& m) {
  Json checks = Json::array();
  for (const Check& check : m.checks) {
    checks.push_back({{"name", check.name},
                      {"ok", check.ok},
                      {"value", number(check.value)},
                      {"limit", check.decides ? number(check.limit) : Json(nullptr)}});
  }
  return {{"ok", m.ok},
          {"stamps", m.stamps == StampSource::kNone ? Json(nullptr) : Json(to_text(m.stamps))},
          {"client_lag_ms_p99", number(m.client_lag_ms_p99)},
          {"loop_lag_ms_p99", number(m.loop_lag_ms_p99)},
          {"coalesced_share", number(m.coalesced_share)},
          {"checks", std::move(checks)},
          {"arrivals", arrivals_json(m.arrivals)}};
}

Json metric_json(const MetricResult& result) {
  const Summary& s = result.summary;
  Json low_n = Json::array();
  for (const int p : s.low_n) low_n.push_back("p" + std::to_string(p));
  return {{"unit", result.metric->unit},
          {"n", s.n},
          {"mean", number(s.mean)},
          {"ci95", interval(s.ci95)},
          {"p50", number(s.p50)},
          {"p90", number(s.p90)},
          {"p95", number(s.p95)},
          {"p99", number(s.p99)},
          {"min", number(s.min)},
          {"max", number(s.max)},
          {"low_n", std::move(low_n)},
          {"p50_ci95", interval(s.p50_ci95)},
          {"p90_ci95", interval(s.p90_ci95)},
          {"p95_ci95", interval(s.p95_ci95)},
          {"p99_ci95", interval(s.p99_ci95)}};
}

Json censored_json(const std::optional<Censored>& p) {
  if (!p) return nullptr;
  return {{"value", number(p->value)}, {"censored", p->censored}};
}

Json percentiles_json(const CensoredPercentiles& p) {
  return {{"p50", censored_json(p.p50)},
          {"p90", censored_json(p.p90)},
          {"p95", censored_json(p.p95)},
          {"p99", censored_json(p.p99)}};
}

Json all_calls_json(const std::optional<AllCalls>& all) {
  if (!all) return nullptr;
  return {{"ttft_ms", percentiles_json(all->ttft_ms)}, {"e2e_ms", percentiles_json(all->e2e_ms)}};
}

template <class Items, class F>
Json list(const Items& items, F&& one) {
  Json array = Json::array();
  for (const auto& item : items) array.push_back(one(item));
  return array;
}

Json mark_json(const LegMark& mark) { return {{"code", mark.code}, {"detail", text(mark.detail)}}; }

Json course_json(const std::optional<Stationarity>& course, std::string_view evidence) {
  if (!course) return nullptr;
  const int64_t warmup = course->suggested_warmup();
  return {{"verdict", to_text(course->course)},
          {"first_to_last", number(course->first_to_last)},
          {"evidence", text_or_null(evidence)},
          {"trend", course->trend ? number(course->trend->change) : Json(nullptr)},
          {"p", course->trend ? number(course->trend->p_value) : Json(nullptr)},
          {"suggested_warmup", warmup > 0 ? Json(warmup) : Json(nullptr)}};
}

Json routing_json(const RoutingOverhead& row) {
  const auto share = row.difference ? std::optional(row.difference->ci95()) : std::nullopt;
  return {{"cell_id", text(row.cell_id)},   {"prompt_id", text(row.prompt_id)},
          {"metric", row.metric->name},     {"direct", number(row.direct)},
          {"routed", number(row.routed)},   {"overhead", number(row.overhead)},
          {"ci95", interval(row.ci95)},     {"change", number(row.routed / row.direct - 1)},
          {"change_ci95", interval(share)}, {"pairs", row.pairs}};
}

/// What the planned leg asked for; null for records of none.
Json asked_json(const RunMeta& meta, int64_t leg) {
  if (leg < 0 || leg >= std::ssize(meta.legs)) return nullptr;
  return settings_json(meta.legs[static_cast<size_t>(leg)].settings);
}

Json hash_json(const RunMeta& meta, int64_t leg, const std::string Leg::*hash) {
  if (leg < 0 || leg >= std::ssize(meta.legs)) return nullptr;
  return text_or_null(meta.legs[static_cast<size_t>(leg)].*hash);
}

Json leg_json(const RunMeta& meta, const LegResult& leg) {
  Json all = Json::object();
  for (const MetricResult& result : leg.metrics) {
    all[std::string(result.metric->name)] = metric_json(result);
  }
  return {{"cell_id", text(leg.cell_id)},
          {"prompt_id", text(leg.prompt_id)},
          {"phase", to_text(leg.phase)},
          {"concurrency", leg.concurrency},
          {"prefix", to_text(leg.prefix)},
          {"n", leg.n},
          {"ok", leg.ok},
          {"failed", leg.failed},
          {"skipped", leg.skipped},
          {"attempts", leg.attempts},
          {"empty", leg.empty},
          {"length", leg.length},
          {"skipped_reason", text_or_null(leg.skipped_reason)},
          {"prompt_tokens", number(leg.prompt_tokens)},
          {"aggregate_tps", number(leg.aggregate_tps)},
          {"requests_per_sec", number(leg.requests_per_sec)},
          {"metrics", std::move(all)},
          {"all_calls", all_calls_json(leg.all_calls)},
          {"course", course_json(leg.course, leg.course_evidence)},
          {"sustained", sustained_json(leg.sustained)},
          {"cold_kinds", list(leg.cold_kinds, text)},
          {"cold_notes", list(leg.cold_notes, text)},
          {"marks", list(leg.marks, mark_json)},
          {"telemetry", leg_telemetry_json(leg.telemetry)},
          {"settings", asked_json(meta, leg.leg)},
          {"settings_hash", hash_json(meta, leg.leg, &Leg::settings_hash)},
          {"requested_settings_hash", hash_json(meta, leg.leg, &Leg::requested_settings_hash)}};
}

Json cooling_json(const CoolingTotals& cooling) {
  return {
      {"waits", cooling.waits}, {"seconds", cooling.seconds}, {"not_cooled", cooling.not_cooled}};
}

Json summary_json(const Cell& cell, const CellSummary& s) {
  return {{"cell_id", text(cell.id)},
          {"ok", s.ok},
          {"failed", s.failed},
          {"skipped", s.skipped},
          {"skipped_reason", text_or_null(s.skipped_reason)},
          {"pp_tps", number(s.pp_tps)},
          {"pp_source", text_or_null(s.pp_source)},
          {"ttft_floor_ms", number(s.ttft_floor_ms)},
          {"tg_tps", number(s.tg_tps)},
          {"tg_ci95", interval(s.tg_ci95)},
          {"tg_depth_tps", number(s.tg_depth_tps)},
          {"depth_tokens", whole(s.depth_tokens)},
          {"ttft_fresh_ms", number(s.ttft_fresh_ms)},
          {"ttft_reused_ms", number(s.ttft_reused_ms)},
          {"ttft_unknown_ms", number(s.ttft_unknown_ms)},
          {"load_ms", number(s.load_ms)},
          {"memory_bytes", whole(s.memory_bytes)},
          {"engine_pp_tps", number(s.engine_pp_tps)},
          {"engine_tg_tps", number(s.engine_tg_tps)},
          {"pp_difference", number(s.pp_difference)},
          {"tg_difference", number(s.tg_difference)},
          {"text_events", number(s.text_events)},
          {"usage_tokens", number(s.usage_tokens)},
          {"engine_tokens", number(s.engine_tokens)},
          {"hidden_tokens", number(s.hidden_tokens)},
          {"server_tokens", s.server ? Json(s.server->server) : Json(nullptr)},
          {"server_usage_tokens", s.server ? Json(s.server->usage) : Json(nullptr)},
          {"contradicted", s.contradicted},
          {"bandwidth_share", number(s.bandwidth_share)},
          {"compute_share", number(s.compute_share)}};
}

}  // namespace

nlohmann::ordered_json run_document(const ReportModel& model) {
  return {
      {"schema", "assay.run/1"},
      {"run_id", text(model.meta.run_id)},
      {"state", text(model.state)},
      {"suite", text(model.meta.suite)},
      {"imported", imported_json(model.meta.imported)},
      {"started_at_utc", text(model.meta.started_at_utc)},
      {"host", text(model.meta.host)},
      {"cells", list(model.meta.cells, cell_json)},
      {"notes", list(model.notes, text)},
      {"unreliable", list(model.unreliable,
                          [](const Caveat& c) {
                            return Json{{"code", c.code}, {"detail", text(c.detail)}};
                          })},
      {"measurement", measurement_json(model.measurement)},
      {"instrument", Json::parse(instrument_text(model.meta.instrument))},
      {"warmup", {{"n", model.warmup.n}, {"ok", model.warmup.ok}, {"failed", model.warmup.failed}}},
      {"legs", list(model.legs, [&](const LegResult& leg) { return leg_json(model.meta, leg); })},
      {"cells_summary",
       list(model.cells, [&](const CellSummary& s) { return summary_json(model.cell_of(s), s); })},
      {"preflight", preflight_json(model.meta.preflight)},
      {"environment",
       model.meta.environment ? environment_json(*model.meta.environment) : Json(nullptr)},
      {"routing", list(model.routing, routing_json)},
      {"telemetry", telemetry_json(model.telemetry)},
      {"same_weights", weights_json(model.meta)},
      {"headcount", headcount_json(model)},
      {"heat_bands_c", heat_bands_of(model.meta).limits_c},
      {"cooling", cooling_json(model.cooling)},
      {"stopped_by", text_or_null(model.stopped_by)}};
}

nlohmann::ordered_json calls_document(const ReportModel& model) {
  int64_t ok = 0;
  int64_t failed = 0;
  int64_t skipped = 0;
  for (const CellSummary& cell : model.cells) {
    ok += cell.ok;
    failed += cell.failed;
    skipped += cell.skipped;
  }
  return {{"ok", ok}, {"failed", failed}, {"skipped", skipped}};
}

std::string render_json(const ReportModel& model, const RenderOptions&) {
  return run_document(model).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace assay
