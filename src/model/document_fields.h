#pragma once

#include <concepts>
#include <type_traits>

#include "model/load_history.h"
#include "model/run.h"

namespace assay {

// The one list of what each part of a ledger's documents is made of: writing and reading come from
// it. `visit(name, member)` is called once a member, in the order of the ledger. Names never
// change.

template <class S, class T>
concept Of = std::same_as<std::remove_const_t<S>, T>;

template <Of<Calibration> S, class Visit>
void visit_members(S& c, Visit&& visit) {
  visit("concurrency", c.concurrency);
  visit("bias_p50_ms", c.bias_p50_ms);
  visit("bias_p99_ms", c.bias_p99_ms);
  visit("events_per_sec", c.events_per_sec);
  visit("measured_at_utc", c.measured_at_utc);
}

template <Of<MachineCeiling> S, class Visit>
void visit_members(S& m, Visit&& visit) {
  visit("threads", m.threads);
  visit("bytes", m.bytes);
  visit("bytes_per_sec", m.bytes_per_sec);
  visit("operations_per_sec", m.operations_per_sec);
  visit("measured_at_utc", m.measured_at_utc);
}

template <Of<Instrument> S, class Visit>
void visit_members(S& i, Visit&& visit) {
  visit("calibration", i.calibration);
  visit("machine", i.machine);
}

template <Of<TokenCost> S, class Visit>
void visit_members(S& c, Visit&& visit) {
  visit("weight_bytes", c.weight_bytes);
  visit("context_bytes", c.context_bytes);
  visit("operations", c.operations);
}

template <Of<LaunchSettings> S, class Visit>
void visit_members(S& s, Visit&& visit) {
  visit("threads", s.threads);
  visit("context_length", s.context_length);
  visit("parallel", s.parallel);
  visit("gpu_layers", s.gpu_layers);
  visit("gpu_offload", s.gpu_offload);
  visit("batch_size", s.batch_size);
  visit("ubatch_size", s.ubatch_size);
  visit("flash_attention", s.flash_attention);
  visit("cache_type_k", s.cache_type_k);
  visit("cache_type_v", s.cache_type_v);
  visit("mmap", s.mmap);
  visit("mlock", s.mlock);
  visit("projector", s.projector);
  visit("gpu_hidden", s.gpu_hidden);
  visit("kv_offload", s.kv_offload);
}

template <Of<CallSettings> S, class Visit>
void visit_members(S& s, Visit&& visit) {
  visit("max_tokens", s.max_tokens);
  visit("fixed_length", s.fixed_length);
  visit("temperature", s.temperature);
  visit("top_p", s.top_p);
  visit("top_k", s.top_k);
  visit("seed", s.seed);
  visit("context_length", s.context_length);
  visit("cache_prompt", s.cache_prompt);
  visit("think", s.think);
  visit("load", s.load);
}

template <Of<Reference> S, class Visit>
void visit_members(S& r, Visit&& visit) {
  visit("prompt_id", r.prompt_id);
  visit("metric", r.metric);
  visit("value", r.value);
  visit("tolerance", r.tolerance);
}

template <Of<LoadAttempt> S, class Visit>
void visit_members(S& a, Visit&& visit) {
  visit("settings", a.settings);
  visit("outcome", a.outcome);
  visit("error", a.error);
  visit("took_ms", a.took_ms);
  visit("log_tail", a.log_tail);
}

template <Of<LoadHistory> S, class Visit>
void visit_members(S& h, Visit&& visit) {
  visit("requested", h.requested);
  visit("effective", h.effective);
  visit("attempts", h.attempts);
}

template <Of<Cell> S, class Visit>
void visit_members(S& c, Visit&& visit) {
  visit("id", c.id);
  visit("kind", c.kind);
  visit("url", c.url);
  visit("model", c.model);
  visit("version", c.version);
  visit("quantization", c.quantization);
  visit("model_bytes", c.model_bytes);
  visit("context_length", c.context_length);
  visit("digest", c.digest);
  visit("managed", c.managed);
  visit("random_weights", c.random_weights);
  visit("load_ms", c.load_ms);
  visit("threads", c.threads);
  visit("memory_bytes", c.memory_bytes);
  visit("slots", c.slots);
  visit("token_cost", c.token_cost);
  visit("variant", c.variant);
  visit("estimated_prefill_tps", c.estimated_prefill_tps);
  visit("estimated_decode_tps", c.estimated_decode_tps);
  visit("tokens_per_word", c.tokens_per_word);
  visit("prompt_overhead", c.prompt_overhead);
  visit("unavailable", c.unavailable);
  visit("routed_from", c.routed_from);
  visit("cold_kind", c.cold_kind);
  visit("max_rate", c.max_rate);
  visit("windows", c.windows);
  visit("patterns", c.patterns);
  visit("expect", c.expect);
  visit("launcher", c.launcher);
  visit("load_requested", c.load_requested);
  visit("load_effective", c.load_effective);
  visit("load_attempts", c.load_attempts);
  visit("vram_bytes", c.vram_bytes);
  visit("matrix", c.matrix);
  visit("weights", c.weights);
  visit("fingerprint", c.fingerprint);
  visit("load_refused", c.load_refused);
  visit("known_in", c.known_in);
}

template <Of<Prompt> S, class Visit>
void visit_members(S& p, Visit&& visit) {
  visit("id", p.id);
  visit("sha256", p.sha256);
  visit("salt", p.salt);
  visit("target_tokens", p.target_tokens);
  visit("max_tokens", p.max_tokens);
  visit("frozen", p.frozen);
  visit("text", p.text);
}

template <Of<Leg> S, class Visit>
void visit_members(S& l, Visit&& visit) {
  visit("cell", l.cell);
  visit("prompt", l.prompt);
  visit("phase", l.phase);
  visit("concurrency", l.concurrency);
  visit("request_rate", l.request_rate);
  visit("arrivals", l.arrivals);
  visit("calls", l.calls);
  visit("settings", l.settings);
  visit("settings_hash", l.settings_hash);
  visit("skip", l.skip);
  visit("requested_settings_hash", l.requested_settings_hash);
  visit("not_sent", l.not_sent);
  visit("sustain_s", l.sustain_s);
}

template <Of<CoolingWait> S, class Visit>
void visit_members(S& w, Visit&& visit) {
  visit("from_ns", w.from_ns);
  visit("to_ns", w.to_ns);
  visit("gate", w.gate);
  visit("below_c", w.below_c);
  visit("temperature_c", w.temperature_c);
  visit("cooled", w.cooled);
}

template <Of<CellLoad> S, class Visit>
void visit_members(S& l, Visit&& visit) {
  visit("cell", l.cell);
  visit("at_ns", l.at_ns);
  visit("effective", l.effective);
  visit("refused", l.refused);
  visit("load_ms", l.load_ms);
  visit("context_length", l.context_length);
  visit("memory_bytes", l.memory_bytes);
  visit("vram_bytes", l.vram_bytes);
}

template <Of<PreflightCheck> S, class Visit>
void visit_members(S& c, Visit&& visit) {
  visit("name", c.name);
  visit("ok", c.ok);
  visit("detail", c.detail);
  visit("identity", c.identity);
  visit("decides", c.decides);
}

template <Of<Gpu> S, class Visit>
void visit_members(S& g, Visit&& visit) {
  visit("name", g.name);
  visit("driver", g.driver);
}

template <Of<Environment> S, class Visit>
void visit_members(S& e, Visit&& visit) {
  visit("cpu_model", e.cpu_model);
  visit("cores", e.cores);
  visit("governor", e.governor);
  visit("memory_bytes", e.memory_bytes);
  visit("kernel", e.kernel);
  visit("os", e.os);
  visit("cpu_limit", e.cpu_limit);
  visit("memory_limit_bytes", e.memory_limit_bytes);
  visit("gpus", e.gpus);
  visit("compiler", e.compiler);
  visit("missing", e.missing);
}

template <Of<ReportedFigure> S, class Visit>
void visit_members(S& f, Visit&& visit) {
  visit("of", f.of);
  visit("name", f.name);
  visit("unit", f.unit);
  visit("value", f.value);
}

template <Of<ImportSource> S, class Visit>
void visit_members(S& s, Visit&& visit) {
  visit("tool", s.tool);
  visit("version", s.version);
  visit("file", s.file);
  visit("sha256", s.sha256);
  visit("imported_at_utc", s.imported_at_utc);
  visit("definitions", s.definitions);
  visit("reported", s.reported);
}

template <Of<ServerCounters> S, class Visit>
void visit_members(S& c, Visit&& visit) {
  visit("url", c.url);
  visit("prompt_tokens", c.prompt_tokens);
  visit("output_tokens", c.output_tokens);
  visit("prefix_queries", c.prefix_queries);
  visit("prefix_hits", c.prefix_hits);
  visit("legs", c.legs);
  visit("model", c.model);
}

template <Of<RunEnd> S, class Visit>
void visit_members(S& e, Visit&& visit) {
  visit("state", e.state);
  visit("finished_at_utc", e.finished_at_utc);
  visit("load_avg_end", e.load_avg_end);
  visit("wall_s", e.wall_s);
  visit("loop_lag_p99_ms", e.loop_lag_p99_ms);
  visit("loop_lag_max_ms", e.loop_lag_max_ms);
  visit("in_flight_s", e.in_flight_s);
  visit("server_counters", e.server_counters);
  visit("leg_counters", e.leg_counters);
  visit("stopped_by", e.stopped_by);
}

// The meta line, in three parts: what stands between them follows from other members.

/// Source 004's, in its order.
template <Of<RunMeta> S, class Visit>
void visit_identity(S& m, Visit&& visit) {
  visit("benchmark_run_id", m.run_id);
  visit("git_sha", m.git_sha);
  visit("git_dirty", m.git_dirty);
  visit("harness_version", m.harness_version);
  visit("started_at_utc", m.started_at_utc);
  visit("host", m.host);
  visit("load_avg_start", m.load_avg_start);
  visit("env_route", m.env_route);
  visit("env_llamacpp_url", m.env_llamacpp_url);
}

template <Of<RunMeta> S, class Visit>
void visit_plan(S& m, Visit&& visit) {
  visit("assay_version", m.assay_version);
  visit("started_wall_ns", m.started_wall_ns);
  visit("suite", m.suite);
  visit("suite_rev", m.suite_rev);
  visit("seed", m.seed);
  visit("budget_s", m.budget_s);
  visit("labels", m.labels);
  visit("notes", m.notes);
}

template <Of<RunMeta> S, class Visit>
void visit_circumstances(S& m, Visit&& visit) {
  visit("instrument", m.instrument);
  visit("cells", m.cells);
  visit("prompts", m.prompts);
  visit("legs", m.legs);
  visit("calls", m.calls);
  visit("git_changes", m.git_changes);
  visit("preflight", m.preflight);
  visit("environment", m.environment);
  visit("imported", m.imported);
}

}  // namespace assay
