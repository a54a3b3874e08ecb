#pragma once

#include <type_traits>

#include "model/call_record.h"

namespace assay {

/// Marks a member whose raw bytes are written as base64.
template <class S>
struct Base64 {
  S& bytes;
};

/// The one list of what a CallRecord is made of: ledger lines, the index and CSV columns come from
/// it. `visit(name, member)` is called once a field, in ledger order. Append only: names and order
/// never change.
template <class Record, class Visit>
void visit_fields(Record& r, Visit&& visit) {
  visit("cell_id", r.cell_id);
  visit("prompt_id", r.prompt_id);
  visit("phase", r.phase);
  visit("run_idx", r.run_idx);
  visit("first_delta_ms", r.first_delta_ms);
  visit("total_duration_ms", r.total_duration_ms);
  visit("prompt_tokens", r.prompt_tokens);
  visit("completion_tokens", r.completion_tokens);
  visit("tokens_per_sec", r.tokens_per_sec);
  visit("finish_reason", r.finish_reason);
  visit("backend", r.backend);
  visit("error", r.error);
  visit("benchmark_run_id", r.run_id);
  visit("index", r.index);
  visit("leg", r.leg);
  visit("attempt", r.attempt);
  visit("final", r.final);
  visit("resumed", r.resumed);
  visit("outcome", r.outcome);
  visit("error_code", r.error_code);
  visit("flags", r.flags);
  visit("concurrency", r.concurrency);
  visit("prefix", r.prefix);
  visit("prompt_sha256", r.prompt_sha256);
  visit("settings_hash", r.settings_hash);
  visit("cold_kind", r.cold_kind);
  visit("http_status", r.http_status);
  visit("due_ns", r.at.due);
  visit("start_ns", r.at.start);
  visit("connected_ns", r.at.connected);
  visit("sent_ns", r.at.sent);
  visit("sent_end_ns", r.at.sent_end);
  visit("first_byte_ns", r.at.first_byte);
  visit("first_event_ns", r.at.first_event);
  visit("first_role_ns", r.at.first_role);
  visit("load_start_ns", r.at.load_start);
  visit("load_end_ns", r.at.load_end);
  visit("prefill_start_ns", r.at.prefill_start);
  visit("prefill_end_ns", r.at.prefill_end);
  visit("first_text_ns", r.at.first_text);
  visit("first_reasoning_ns", r.at.first_reasoning);
  visit("first_visible_ns", r.at.first_visible);
  visit("first_tool_ns", r.at.first_tool);
  visit("first_tool_args_ns", r.at.first_tool_args);
  visit("last_text_ns", r.at.last_text);
  visit("done_ns", r.at.done);
  visit("token_source", r.token_source);
  visit("cached_tokens", r.cached_tokens);
  visit("reasoning_tokens", r.reasoning_tokens);
  visit("usage_output_tokens", r.usage_output_tokens);
  visit("first_event_tokens", r.first_event_tokens);
  visit("engine_prompt_tokens", r.engine.prompt_tokens);
  visit("engine_prefill_ms", r.engine.prefill_ms);
  visit("engine_output_tokens", r.engine.output_tokens);
  visit("engine_decode_ms", r.engine.decode_ms);
  visit("engine_load_ms", r.engine.load_ms);
  visit("engine_total_ms", r.engine.total_ms);
  visit("events", r.events);
  visit("text_events", r.text_events);
  visit("text_bytes", r.text_bytes);
  visit("reasoning_bytes", r.reasoning_bytes);
  visit("reads", r.reads);
  visit("client_coalesced", r.client_coalesced);
  visit("server_coalesced", r.server_coalesced);
  visit("stamps", r.stamps);
  visit("client_lag_max_us", r.client_lag_max_us);
  visit("client_lag_p99_us", r.client_lag_p99_us);
  visit("min_rtt_us", r.min_rtt_us);
  visit("response_sha256", r.response_sha256);
  visit("tokens", Base64<std::remove_reference_t<decltype((r.tokens))>>{r.tokens});
  visit("restart", r.restart);
  visit("ended_ns", r.at.ended);
  visit("endpoint", r.endpoint);
  visit("unload_start_ns", r.at.unload_start);
  visit("unload_end_ns", r.at.unload_end);
  visit("pause_end_ns", r.at.pause_end);
  visit("page_cache_share", r.page_cache_share);
  visit("read_bytes", r.read_bytes);
  visit("cold_note", r.cold_note);
  visit("engine_decode_tps", r.engine.decode_tps);
  visit("engine_ttft_ms", r.engine.ttft_ms);
}

}  // namespace assay
