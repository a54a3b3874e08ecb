#include "engines/stream_recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/ids.h"
#include "base/text.h"
#include "base/varint.h"
#include "stats/scenario.h"

namespace assay {
namespace {

/// Events that one answer may have: twice what was asked for and some, so that engines which cut
/// tokens in pieces fit and endless ones do not.
int64_t event_cap(const CallSettings& settings) {
  constexpr int64_t kUnlimited = 4'000'000;
  return settings.max_tokens ? 2 * *settings.max_tokens + 64 : kUnlimited;
}

bool is_proper_finish(std::string_view reason) {
  return reason == "stop" || reason == "length" || reason == "tool_calls" ||
         reason == "function_call" || reason == "eos" || reason == "limit";
}

}  // namespace

StreamRecorder::StreamRecorder(CallRecord& record, MonoNs epoch, const CallRequest& request,
                               CallWatch* watch, const OnLive* live)
    : record_(record),
      epoch_(epoch),
      request_(request),
      watch_(watch),
      live_(live),
      max_text_events_(event_cap(request.settings)) {}

void StreamRecorder::fail_call(Outcome outcome, std::string_view code, std::string message) {
  if (failed()) return;
  record_.outcome = outcome;
  record_.error_code = std::string(code);
  record_.error = std::move(message);
}

void StreamRecorder::add_flag(std::string_view flag) {
  if (std::find(record_.flags.begin(), record_.flags.end(), flag) == record_.flags.end()) {
    record_.flags.emplace_back(flag);
  }
}

void StreamRecorder::begin_read(const Stamp& stamp) {
  stamp_ = stamp;
  events_in_read_ = 0;
  if (watch_ != nullptr && watch_->sent_at() != 0) record_.at.sent = watch_->sent_at() - epoch_;
}

bool StreamRecorder::decode(Engine& engine, std::string_view payload, Delta& delta) {
  size_t error_at = 0;
  if (engine.decode(payload, delta, error_at)) return true;
  if (!is_valid_utf8(payload)) {
    add_flag("invalid_utf8");
    if (engine.decode(to_valid_utf8(payload), delta, error_at)) return true;
  }
  fail_call(Outcome::kError, "bad_json",
            fmt::format("an event is no valid JSON at byte {}: {}", error_at,
                        printable(engine.key().redact(std::string(
                                      payload.substr(std::min(error_at, payload.size())))),
                                  80)));
  return false;
}

bool StreamRecorder::on_event(Engine& engine, std::string_view payload) {
  Delta delta;
  if (!decode(engine, payload, delta)) return false;
  ++record_.events;
  if (!delta.is_step && !record_.at.first_event) record_.at.first_event = since_epoch(stamp_.at);
  if (delta.has_error) {
    fail_call(Outcome::kError, "error_in_stream",
              fmt::format("the engine reported: {}",
                          printable(engine.key().redact(std::string(delta.error)))));
    return false;
  }
  note_stage(delta.stage);
  if (delta.bears_text()) {
    note_text(delta);
  } else if (delta.has_choice && delta.finish_reason.empty() && !record_.at.first_role &&
             record_.text_events == 0) {
    record_.at.first_role = since_epoch(stamp_.at);
  }
  note_counts(delta);
  if (!delta.finish_reason.empty()) record_.finish_reason = std::string(delta.finish_reason);
  if (delta.untold_finish) record_.finish_reason = untold_finish();
  record_.at.done = since_epoch(stamp_.at);
  if (delta.done) saw_finish_event_ = true;
  if (record_.text_events > max_text_events_ || text_.size() > kMaxAnswerBytes) {
    fail_call(Outcome::kError, "over_limit",
              fmt::format("the answer went on past {} events and {} bytes", record_.text_events,
                          text_.size()));
    return false;
  }
  // What may follow the terminating event is the end of the body, which keeps the connection.
  return true;
}

void StreamRecorder::note_text(const Delta& delta) {
  const int64_t at = since_epoch(stamp_.at);
  ++record_.text_events;
  if (!record_.at.first_text) record_.at.first_text = at;
  record_.at.last_text = at;
  if (watch_ != nullptr) watch_->text(stamp_.read_at);

  if (++events_in_read_ == 1) {
    ++record_.reads;
    const int64_t lag_us = stamp_.kernel ? (stamp_.read_at - stamp_.at) / 1000 : 0;
    if (stamp_.kernel) {
      record_.client_lag_max_us = std::max(record_.client_lag_max_us.value_or(0), lag_us);
      const auto bucket = static_cast<size_t>(std::bit_width(static_cast<uint64_t>(lag_us)));
      ++lag_buckets_[std::min(bucket, kLagBuckets - 1)];
      ++lag_count_;
    }
    const StampSource source = stamp_.kernel ? StampSource::kKernel : StampSource::kRead;
    if (record_.stamps == StampSource::kNone) record_.stamps = source;
    if (record_.stamps != source) record_.stamps = StampSource::kMixed;
  }
  // Without a kernel stamp nobody can tell: then we take the blame.
  const bool late = !stamp_.kernel || stamp_.read_at - stamp_.at > kLateReadNs;
  if (events_in_read_ > 1) {
    const int64_t newly = events_in_read_ == 2 ? 2 : 1;
    (late ? record_.client_coalesced : record_.server_coalesced) += newly;
    pending_.merged_late = pending_.merged_late || late;
  }
  write_pending();
  pending_ = Pending{stamp_.at,
                     delta.text.size() + delta.reasoning.size() + delta.refusal.size() +
                         delta.tool_name.size() + delta.tool_args.size(),
                     events_in_read_ > 1 && late, true};

  if (!delta.reasoning.empty()) {
    note_part(ThinkSplitter::Part::kReasoning, delta.reasoning, stamp_.at);
  }
  if (!delta.text.empty()) {
    bool moved_on = !splitter_.holding();
    splitter_.feed(delta.text, [&](ThinkSplitter::Part part, std::string_view piece, bool early) {
      note_part(part, piece, early ? held_at_ : stamp_.at);
      moved_on = true;
    });
    if (moved_on) held_at_ = stamp_.at;
  }
  if (!delta.refusal.empty()) note_part(ThinkSplitter::Part::kVisible, delta.refusal, stamp_.at);
  if (!delta.tool_name.empty()) {
    saw_tool_ = true;
    if (!record_.at.first_tool) record_.at.first_tool = at;
  }
  if (!delta.tool_args.empty()) {
    saw_tool_ = true;
    if (!record_.at.first_tool_args) record_.at.first_tool_args = at;
    record_.text_bytes += static_cast<int64_t>(delta.tool_args.size());
  }
}

void StreamRecorder::note_part(ThinkSplitter::Part part, std::string_view piece, MonoNs at) {
  const bool visible = part == ThinkSplitter::Part::kVisible;
  if (visible) {
    record_.text_bytes += static_cast<int64_t>(piece.size());
    text_ += piece;
    if (!record_.at.first_visible && !trim(piece).empty()) {
      record_.at.first_visible = since_epoch(at);
    }
  } else {
    record_.reasoning_bytes += static_cast<int64_t>(piece.size());
    if (!record_.at.first_reasoning) record_.at.first_reasoning = since_epoch(at);
  }
  if (live_ != nullptr) {
    (*live_)(LiveEvent{visible ? LiveEvent::Kind::kText : LiveEvent::Kind::kReasoning,
                       record_.index, piece});
  }
}

void StreamRecorder::note_stage(Stage stage) {
  Instants& at = record_.at;
  Instants::At* const instants[] = {nullptr, &at.load_start, &at.load_end, &at.prefill_start,
                                    &at.prefill_end};
  Instants::At* instant = instants[static_cast<size_t>(stage)];
  if (instant != nullptr && !*instant) *instant = since_epoch(stamp_.at);
}

std::string StreamRecorder::untold_finish() const {
  const auto& told = record_.usage_output_tokens;
  const int64_t tokens = (told ? told : record_.engine.output_tokens).value_or(0);
  const auto& limit = request_.settings.max_tokens;
  return limit && tokens >= *limit ? "length" : "stop";
}

void StreamRecorder::note_counts(const Delta& delta) {
  if (delta.bad_usage) add_flag("bad_usage");
  const auto keep = [](auto& mine, const auto& theirs) {
    if (theirs) mine = theirs;
  };
  keep(record_.prompt_tokens, delta.prompt_tokens);
  keep(record_.usage_output_tokens, delta.output_tokens);
  keep(record_.cached_tokens, delta.cached_tokens);
  keep(record_.reasoning_tokens, delta.reasoning_tokens);
  keep(record_.engine.prompt_tokens, delta.engine.prompt_tokens);
  keep(record_.engine.prefill_ms, delta.engine.prefill_ms);
  keep(record_.engine.output_tokens, delta.engine.output_tokens);
  keep(record_.engine.decode_ms, delta.engine.decode_ms);
  keep(record_.engine.load_ms, delta.engine.load_ms);
  keep(record_.engine.total_ms, delta.engine.total_ms);
  keep(record_.engine.decode_tps, delta.engine.decode_tps);
  keep(record_.engine.ttft_ms, delta.engine.ttft_ms);
}

void StreamRecorder::write_pending() {
  if (!pending_.any) return;
  constexpr int64_t kNsPerUs = 1000;
  if (last_written_ == 0) last_written_ = epoch_ + record_.at.sent.value_or(0);
  // Rounded to the grid of `sent` plus whole microseconds, so that rounding never adds up.
  const int64_t delta_us =
      std::max<int64_t>(0, (pending_.at - last_written_ + kNsPerUs / 2) / kNsPerUs);
  last_written_ += delta_us * kNsPerUs;
  append_varint(record_.tokens, static_cast<uint64_t>(delta_us));
  append_varint(record_.tokens, pending_.bytes << 1 | (pending_.merged_late ? 1U : 0U));
  pending_.any = false;
}

void StreamRecorder::on_document(Engine& engine, std::string_view body) {
  Delta delta;
  if (!decode(engine, body, delta)) return;
  if (delta.has_error) {
    return fail_call(Outcome::kError, "error_in_stream",
                     fmt::format("the engine reported: {}",
                                 printable(engine.key().redact(std::string(delta.error)))));
  }
  if (!delta.has_choice) {
    return fail_call(Outcome::kError, "bad_answer", "the answer holds no choices");
  }
  add_flag("not_streamed");
  note_counts(delta);
  record_.events = 1;
  record_.at.done = since_epoch(stamp_.at);
  if (!delta.finish_reason.empty()) record_.finish_reason = std::string(delta.finish_reason);
  if (delta.untold_finish) record_.finish_reason = untold_finish();
  text_ = delta.text;
  record_.text_bytes = static_cast<int64_t>(delta.text.size());
  record_.reasoning_bytes = static_cast<int64_t>(delta.reasoning.size());
  saw_tool_ = !delta.tool_name.empty();
}

void StreamRecorder::finish() {
  write_pending();
  splitter_.finish([&](ThinkSplitter::Part part, std::string_view piece, bool) {
    note_part(part, piece, held_at_);
  });
  if (lag_count_ > 0) {
    uint32_t seen = 0;
    for (size_t b = 0; b < kLagBuckets; ++b) {
      seen += lag_buckets_[b];
      if (seen * 100ULL < lag_count_ * 99ULL) continue;
      // The bucket's upper edge, and no more than was really seen.
      record_.client_lag_p99_us = std::min(int64_t{1} << b, record_.client_lag_max_us.value_or(0));
      break;
    }
  }
  if (!text_.empty()) record_.response_sha256 = sha256_hex(text_);
  if (!failed()) {
    if (!record_.finish_reason) {
      fail_call(Outcome::kError, "incomplete",
                record_.events == 0 ? "the answer held no event"
                                    : "the stream ended without a finish reason");
    } else if (!is_proper_finish(*record_.finish_reason)) {
      fail_call(Outcome::kError, "bad_finish",
                fmt::format("the engine ended with '{}'", printable(*record_.finish_reason, 60)));
    } else {
      record_.outcome = Outcome::kOk;
      if (!saw_finish_event_ && record_.text_events > 0) add_flag("no_done");
    }
  }
  if (record_.outcome == Outcome::kOk) {
    if (!record_.at.first_visible && trim(text_).empty() && !saw_tool_) add_flag("empty");
    if (*record_.finish_reason == "length" && !request_.settings.fixed_length) add_flag("length");
    if (record_.prompt_tokens && request_.expected_prompt_tokens &&
        is_truncated(*record_.prompt_tokens, *request_.expected_prompt_tokens)) {
      add_flag("prompt_truncated");
    }
  }
}

}  // namespace assay
