#include "stats/derive.h"

#include <algorithm>
#include <cmath>

#include "base/varint.h"

namespace assay {
namespace derive {
namespace {

constexpr double kNanosPerMs = 1e6;
constexpr uint64_t kMaxDeltaUs = 1'000'000'000'000;  // 11 days: damaged bytes cannot overflow.

/// From one instant to another, in milliseconds. Absent when either is, or when time ran backwards.
Value between_ms(const Instants::At& from, const Instants::At& to) {
  if (!from || !to || *to < *from) return std::nullopt;
  return static_cast<double>(*to - *from) / kNanosPerMs;
}

std::optional<int64_t> rounded_ms(const Instants::At& from, const Instants::At& to) {
  const Value ms = between_ms(from, to);
  return ms ? std::optional(std::llround(*ms)) : std::nullopt;
}

Value as_value(std::optional<int64_t> count) {
  return count ? Value(static_cast<double>(*count)) : std::nullopt;
}

template <class T>
std::optional<T> first_of(std::optional<T> best, std::optional<T> other) {
  return best ? best : other;
}

Value quotient(const std::optional<Ratio>& parts) {
  return parts ? Value(parts->numerator / parts->denominator) : std::nullopt;
}

std::optional<Ratio> positive(Value numerator, Value denominator) {
  if (!numerator || !denominator || *numerator <= 0 || *denominator <= 0) return std::nullopt;
  return Ratio{*numerator, *denominator};
}

Value seconds(Value ms) { return ms ? Value(*ms / 1e3) : std::nullopt; }

/// Output tokens that came down the stream: reasoning that was counted, but of which no byte was
/// sent, is taken off.
Value streamed_tokens(const CallRecord& r) {
  if (!r.completion_tokens) return std::nullopt;
  const int64_t hidden = r.reasoning_bytes == 0 ? r.reasoning_tokens.value_or(0) : 0;
  return static_cast<double>(std::max<int64_t>(0, *r.completion_tokens - hidden));
}

/// `ms` per token after the first `skipped` ones.
Value per_token(Value ms, const CallRecord& r, int64_t skipped) {
  if (!ms || !r.completion_tokens || *r.completion_tokens <= skipped) return std::nullopt;
  return *ms / static_cast<double>(*r.completion_tokens - skipped);
}

/// Hands over one event after the other until `visit` has enough. False when the bytes are damaged.
template <class Visit>
bool each_event(std::string_view tokens, Visit&& visit) {
  int64_t at = 0;
  while (!tokens.empty()) {
    const auto delta = take_varint(tokens);
    const auto size = take_varint(tokens);
    if (!delta || !size) return false;
    at += static_cast<int64_t>(std::min<uint64_t>(*delta, kMaxDeltaUs));
    if (!visit(TextEvent{at, static_cast<int64_t>(*size >> 1), (*size & 1) != 0})) return true;
  }
  return true;
}

}  // namespace

std::optional<std::vector<TextEvent>> text_events(std::string_view tokens) {
  std::vector<TextEvent> events;
  const bool whole = each_event(tokens, [&](const TextEvent& event) {
    events.push_back(event);
    return true;
  });
  if (!whole) return std::nullopt;
  return events;
}

Gaps icl_gaps(const CallRecord& record) {
  struct Group {
    int64_t at_us;
    bool coalesced;
  };
  Gaps gaps;
  std::optional<Group> before;
  std::optional<Group> now;
  const auto close = [&] {
    if (before && now && !before->coalesced && !now->coalesced) {
      gaps.ms.push_back(static_cast<double>(now->at_us - before->at_us) / 1e3);
    }
    before = now;
  };
  const bool whole = each_event(record.tokens, [&](const TextEvent& event) {
    ++gaps.events;
    if (event.coalesced) ++gaps.coalesced;
    if (now && now->at_us == event.at_us) {
      now->coalesced |= event.coalesced;
      return true;
    }
    close();
    now = Group{event.at_us, event.coalesced};
    return true;
  });
  if (!whole) return {};
  close();
  return gaps;
}

double stamp_error_us(const CallRecord& record) {
  if (record.stamps == StampSource::kKernel) return kKernelStampErrorUs;
  const Value lag = as_value(record.client_lag_p99_us);
  return std::max(kKernelStampErrorUs, lag.value_or(kReadStampErrorUs));
}

namespace {

/// Tokens that were there when the span began: those of the first event, and one for each further
/// event that came under the same stamp.
double tokens_before_span(const CallRecord& record) {
  const double first = as_value(record.first_event_tokens).value_or(1);
  int64_t same = 0;
  std::optional<int64_t> at_us;
  const bool whole = each_event(record.tokens, [&](const TextEvent& event) {
    const bool all = !at_us || *at_us == event.at_us;
    at_us = at_us.value_or(event.at_us);
    if (all) ++same;
    return all;  // Instants ascend: the first other one ends the group.
  });
  if (!whole || same == 0) return first;
  return first + static_cast<double>(same - 1);
}

}  // namespace

Decode decode(const CallRecord& record) {
  const Value streamed = streamed_tokens(record);
  if (!streamed) return {std::nullopt, "no_token_count"};
  const Value span_ms = between_ms(record.at.first_text, record.at.last_text);
  if (!span_ms || *span_ms <= 0) return {std::nullopt, "one_stamp"};
  const double tokens = *streamed - tokens_before_span(record);
  if (tokens < kMinDecodeTokens) return {std::nullopt, "few_tokens"};
  if (*span_ms * 1e3 < kMinSpanErrors * stamp_error_us(record)) return {std::nullopt, "short_span"};
  return {Ratio{tokens, *span_ms / 1e3}, {}};
}

TokensPerSec tokens_per_sec_or_reason(const CallRecord& r) {
  if (!r.completion_tokens) return {std::nullopt, "no_token_count"};
  if (r.at.sent && r.text_events <= 1) return {std::nullopt, "one_chunk"};
  const auto first = first_of(rounded_ms(r.at.sent, r.at.first_event), r.first_delta_ms);
  const auto total = first_of(rounded_ms(r.at.sent, r.at.done), r.total_duration_ms);
  if (!first || !total || *total <= *first) return {std::nullopt, "no_span"};
  const double rate =
      static_cast<double>(*r.completion_tokens) * 1e3 / static_cast<double>(*total - *first);
  return {std::round(rate * 10) / 10, {}};
}

std::optional<Ratio> decode_parts(const CallRecord& r) { return decode(r).parts; }

std::optional<Ratio> prefill_parts(const CallRecord& r) {
  // How much of a reused prompt was evaluated nobody told.
  if (r.prefix == Prefix::kReused && !r.cached_tokens) return std::nullopt;
  Value evaluated = as_value(r.engine.prompt_tokens);
  if (!evaluated && r.prompt_tokens && r.cached_tokens) {
    evaluated = static_cast<double>(*r.prompt_tokens - *r.cached_tokens);
  }
  // Where only our salt tells: all of the prompt.
  if (!evaluated && r.prefix == Prefix::kFresh) evaluated = as_value(r.prompt_tokens);
  return positive(evaluated, seconds(prefill_ms(r)));
}

std::optional<Ratio> chunk_parts(const CallRecord& r) {
  return positive(static_cast<double>(r.text_events - 1),
                  seconds(between_ms(r.at.first_text, r.at.last_text)));
}

std::optional<Ratio> event_parts(const CallRecord& r) {
  return positive(streamed_tokens(r), static_cast<double>(r.text_events));
}

std::optional<Ratio> e2e_parts(const CallRecord& r) {
  return positive(as_value(r.completion_tokens), seconds(e2e_ms(r)));
}

std::optional<Ratio> engine_decode_parts(const CallRecord& r) {
  const Value tokens = as_value(first_of(r.engine.output_tokens, r.completion_tokens));
  if (!r.engine.decode_ms && r.engine.decode_tps && tokens && *r.engine.decode_tps > 0) {
    return positive(tokens, *tokens / *r.engine.decode_tps);
  }
  return positive(as_value(r.engine.output_tokens), seconds(r.engine.decode_ms));
}

Value ttft_ms(const CallRecord& r) { return between_ms(r.at.sent, r.at.first_text); }
Value ttfv_ms(const CallRecord& r) { return between_ms(r.at.sent, r.at.first_visible); }
Value first_delta_ms(const CallRecord& r) {
  return first_of(between_ms(r.at.sent, r.at.first_event), as_value(r.first_delta_ms));
}

Value icl_ms(const CallRecord& r) {
  const Gaps gaps = icl_gaps(r);
  if (gaps.ms.empty()) return std::nullopt;
  double sum = 0;
  for (const double ms : gaps.ms) sum += ms;
  return sum / static_cast<double>(gaps.ms.size());
}

Value max_gap_ms(const CallRecord& r) {
  const Gaps gaps = icl_gaps(r);
  if (gaps.ms.empty()) return std::nullopt;
  return *std::max_element(gaps.ms.begin(), gaps.ms.end());
}

Value decode_tps(const CallRecord& r) { return quotient(decode_parts(r)); }

Value itl_ms(const CallRecord& r) {
  const auto parts = decode_parts(r);
  return parts ? Value(1e3 * parts->denominator / parts->numerator) : std::nullopt;
}

Value prefill_ms(const CallRecord& r) {
  return first_of(r.engine.prefill_ms, between_ms(r.at.prefill_start, r.at.prefill_end));
}

Value prefill_tps(const CallRecord& r) { return quotient(prefill_parts(r)); }
Value chunks_per_sec(const CallRecord& r) { return quotient(chunk_parts(r)); }
Value tokens_per_event(const CallRecord& r) { return quotient(event_parts(r)); }
Value tokens_per_sec(const CallRecord& r) { return tokens_per_sec_or_reason(r).value; }
Value e2e_ms(const CallRecord& r) {
  return first_of(between_ms(r.at.sent, r.at.done), as_value(r.total_duration_ms));
}
Value e2e_tps(const CallRecord& r) { return quotient(e2e_parts(r)); }

Value load_ms(const CallRecord& r) {
  return first_of(r.engine.load_ms, between_ms(r.at.load_start, r.at.load_end));
}

Value cached_tokens(const CallRecord& r) { return as_value(r.cached_tokens); }
Value text_event_count(const CallRecord& r) {
  return r.text_events > 0 ? Value(static_cast<double>(r.text_events)) : std::nullopt;
}
Value usage_output_tokens(const CallRecord& r) { return as_value(r.usage_output_tokens); }
Value engine_output_tokens(const CallRecord& r) { return as_value(r.engine.output_tokens); }
Value engine_decode_tps(const CallRecord& r) { return quotient(engine_decode_parts(r)); }

double waited_ms(const CallRecord& r) {
  const Instants::At from = first_of(first_of(r.at.sent, r.at.start), r.at.due);
  Value longest;
  for (const auto& at : {r.at.ended, r.at.done, r.at.last_text, r.at.first_byte}) {
    const Value ms = between_ms(from, at);
    if (ms) longest = std::max(longest.value_or(0), *ms);
  }
  return first_of(longest, as_value(r.total_duration_ms)).value_or(0);
}

// The last chunk with `choices` carries the finish reason and follows the last text at once; its
// own instant is not recorded, so the last text stands for it.
Value tpot_vllm(const CallRecord& r) {
  return per_token(between_ms(r.at.first_event, r.at.last_text), r, 1);
}
Value tpot_guidellm(const CallRecord& r) {
  return per_token(between_ms(r.at.sent, r.at.last_text), r, 0);
}
Value ntpot(const CallRecord& r) { return per_token(e2e_ms(r), r, 0); }
Value itl_aiperf(const CallRecord& r) {
  return per_token(between_ms(r.at.first_text, r.at.last_text), r, 1);
}

}  // namespace derive

void finish_record(CallRecord& record) {
  record.first_delta_ms = derive::first_of(
      derive::rounded_ms(record.at.sent, record.at.first_event), record.first_delta_ms);
  record.total_duration_ms = derive::first_of(derive::rounded_ms(record.at.sent, record.at.done),
                                              record.total_duration_ms);
  if (!record.completion_tokens) {
    if (record.usage_output_tokens) {
      record.completion_tokens = record.usage_output_tokens;
      record.token_source = TokenSource::kUsage;
    } else if (record.engine.output_tokens) {
      record.completion_tokens = record.engine.output_tokens;
      record.token_source = TokenSource::kEngine;
    }
  }
  if (record.prefix == Prefix::kUnknown && record.cached_tokens) {
    const auto cached = static_cast<double>(*record.cached_tokens);
    const double whole = static_cast<double>(record.prompt_tokens.value_or(0));
    record.prefix = cached > kTemplateShare * whole ? Prefix::kReused : Prefix::kFresh;
  }
  record.tokens_per_sec = derive::tokens_per_sec(record);
}

}  // namespace assay
