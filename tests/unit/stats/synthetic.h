#pragma once

#include <cstdint>
#include <string>

#include "base/random.h"
#include "base/varint.h"
#include "model/run.h"
#include "stats/derive.h"

namespace assay::synthetic {

inline constexpr int64_t kMs = 1'000'000;

/// What one invented call looks like. Times are milliseconds.
struct CallShape {
  double ttft_ms = 100;
  double gap_ms = 20;
  int64_t tokens = 32;
  int64_t prompt_tokens = 20;
  std::optional<int64_t> cached = std::nullopt;
  bool engine = true;  ///< The engine tells its own figures.
};

/// One varint pair per event: microseconds since the one before, bytes and the flag.
inline void append_event(std::string& tokens, int64_t delta_us, int64_t bytes, bool coalesced) {
  append_varint(tokens, static_cast<uint64_t>(delta_us));
  append_varint(tokens, static_cast<uint64_t>(bytes << 1) | (coalesced ? 1U : 0U));
}

inline int64_t ns(double ms) { return static_cast<int64_t>(ms * 1e6); }

/// An ok call sent at `at_ms`, one token an event, every instant and count filled in.
inline CallRecord ok_call(double at_ms, const CallShape& shape) {
  CallRecord r;
  r.backend = "llamacpp";
  r.outcome = Outcome::kOk;
  r.finish_reason = "stop";
  r.prompt_tokens = shape.prompt_tokens;
  r.usage_output_tokens = shape.tokens;
  r.cached_tokens = shape.cached;
  r.http_status = 200;
  r.stamps = StampSource::kKernel;
  r.client_lag_p99_us = 40;
  r.client_lag_max_us = 90;
  r.min_rtt_us = 30;
  const int64_t sent = ns(at_ms);
  const int64_t first = sent + ns(shape.ttft_ms);
  const int64_t last = first + (shape.tokens - 1) * ns(shape.gap_ms);
  r.at.due = r.at.start = sent;
  r.at.sent = sent;
  r.at.sent_end = sent + 1000;
  r.at.first_byte = r.at.first_event = r.at.first_role = sent + ns(shape.ttft_ms / 2);
  r.at.first_text = r.at.first_visible = first;
  r.at.last_text = last;
  r.at.done = last + 200'000;
  r.text_events = shape.tokens;
  r.events = shape.tokens + 2;
  r.reads = shape.tokens;
  r.text_bytes = 4 * shape.tokens;
  for (int64_t i = 0; i < shape.tokens; ++i) {
    append_event(r.tokens, (i == 0 ? ns(shape.ttft_ms) : ns(shape.gap_ms)) / 1000, 4, false);
  }
  if (shape.engine) {
    r.engine.prompt_tokens = shape.prompt_tokens - shape.cached.value_or(0);
    r.engine.prefill_ms = shape.ttft_ms - 5;
    r.engine.output_tokens = shape.tokens;
    r.engine.decode_ms = static_cast<double>(shape.tokens - 1) * shape.gap_ms;
  }
  finish_record(r);
  return r;
}

/// An ok warm call as source 004's own ledgers have it: whole milliseconds and no instants.
inline CallRecord warm_call(int64_t first_delta, int64_t total, std::optional<double> tps) {
  CallRecord r;
  r.cell_id = "tower:ollama:m:1b";
  r.prompt_id = "P-EASY";
  r.phase = Phase::kWarm;
  r.outcome = Outcome::kOk;
  r.first_delta_ms = first_delta;
  r.total_duration_ms = total;
  r.tokens_per_sec = tps;
  return r;
}

inline CallRecord failed_warm_call() {
  CallRecord r = warm_call(0, 0, {});
  r.outcome = Outcome::kError;
  r.error = "connection refused";
  return r;
}

inline CallRecord failed_call(double at_ms, std::string error) {
  CallRecord r;
  r.backend = "llamacpp";
  r.outcome = Outcome::kError;
  r.error = std::move(error);
  r.error_code = "connection";
  r.at.due = r.at.start = r.at.sent = ns(at_ms);
  finish_record(r);
  return r;
}

inline CallRecord skipped_call(std::string reason) {
  CallRecord r;
  r.backend = "llamacpp";
  r.outcome = Outcome::kSkipped;
  r.error = std::move(reason);
  return r;
}

/// A ledger under construction: a call's ids follow from the leg that it is added to.
class Builder {
 public:
  explicit Builder(std::string suite) {
    ledger.meta.run_id = "01234567-89ab-4cde-8f01-23456789abcd";
    ledger.meta.started_at_utc = "2026-01-31T12:00:00.000Z";
    ledger.meta.host = "tower";
    ledger.meta.suite = std::move(suite);
    ledger.meta.assay_version = "0.1.0";
    ledger.end = RunEnd{.state = "completed",
                        .finished_at_utc = "2026-01-31T12:01:00.000Z",
                        .load_avg_end = {},
                        .wall_s = 60,
                        .loop_lag_p99_ms = 0.2,
                        .loop_lag_max_ms = 0.9};
  }

  int64_t cell(std::string model, std::string kind = "llamacpp") {
    Cell c;
    c.id = "local:" + kind + ":" + model;
    c.kind = std::move(kind);
    c.model = std::move(model);
    c.model_bytes = 1'300'000'000;
    ledger.meta.cells.push_back(std::move(c));
    return static_cast<int64_t>(ledger.meta.cells.size()) - 1;
  }

  int64_t prompt(std::string id, std::optional<int64_t> target_tokens = std::nullopt) {
    Prompt p;
    p.id = std::move(id);
    p.target_tokens = target_tokens;
    ledger.meta.prompts.push_back(std::move(p));
    return static_cast<int64_t>(ledger.meta.prompts.size()) - 1;
  }

  int64_t leg(int64_t cell_index, int64_t prompt_index, Phase phase = Phase::kMeasure) {
    Leg l;
    l.cell = cell_index;
    l.prompt = prompt_index;
    l.phase = phase;
    ledger.meta.legs.push_back(std::move(l));
    return static_cast<int64_t>(ledger.meta.legs.size()) - 1;
  }

  /// Plans one more call of the leg and records it.
  CallRecord& add(int64_t leg_index, CallRecord record) {
    Leg& l = ledger.meta.legs[static_cast<size_t>(leg_index)];
    record.leg = leg_index;
    record.cell_id = ledger.meta.cells[static_cast<size_t>(l.cell)].id;
    record.prompt_id = ledger.meta.prompts[static_cast<size_t>(l.prompt)].id;
    record.phase = l.phase;
    record.concurrency = l.concurrency;
    record.run_id = ledger.meta.run_id;
    record.run_idx = l.calls++;
    record.index = static_cast<int64_t>(ledger.meta.calls.size());
    ledger.meta.calls.push_back({leg_index, record.run_idx, 0});
    ledger.calls.push_back(std::move(record));
    return ledger.calls.back();
  }

  /// `n` ok calls one after another whose times wobble by up to ± `wobble`, the same every time.
  void add_ok(int64_t leg_index, int64_t n, CallShape shape, double wobble = 0.05) {
    SplitMix64 random(static_cast<uint64_t>(leg_index) + 1);
    const CallShape base = shape;
    for (int64_t i = 0; i < n; ++i) {
      shape.ttft_ms = base.ttft_ms * (1 + wobble * (2 * random.unit() - 1));
      shape.gap_ms = base.gap_ms * (1 + wobble * (2 * random.unit() - 1));
      add(leg_index, ok_call(now_ms, shape));
      now_ms += 2000;
    }
  }

  LedgerContent ledger;
  double now_ms = 10;
};

}  // namespace assay::synthetic
