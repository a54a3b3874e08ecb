#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "model/call_record.h"

namespace assay {

/// Fills what a record states besides its raw facts, from those facts:
/// - `first_delta_ms`, `total_duration_ms`: rounded to whole milliseconds, where there are
/// instants;
/// - `completion_tokens` and `token_source`, when no count was chosen yet: usage before engine;
/// - `prefix`, when still unknown and `cached_tokens` is known: reused above kTemplateShare of the
///   prompt, else fresh;
/// - `tokens_per_sec`: source 004's formula.
/// Call it once per attempt, after the last event. Calling it again changes nothing.
void finish_record(CallRecord& record);

/// A chat template puts the same few tokens before every prompt, salted ones too, and engines
/// report them as cached: up to this share of the prompt that is no reuse.
inline constexpr double kTemplateShare = 0.15;

/// What one call says about itself, from instants and counts alone: pure, absent never 0. Records
/// of foreign ledgers that have no instants fall back to their whole milliseconds. `outcome` is not
/// looked at: whoever pools leaves failed calls out.
namespace derive {

using Value = std::optional<double>;

/// Two sums whose quotient is a rate; pooled rates add both before dividing.
struct Ratio {
  double numerator = 0;
  double denominator = 0;
};

/// One text-bearing event out of CallRecord::tokens.
struct TextEvent {
  int64_t at_us = 0;  ///< Since `sent`.
  int64_t bytes = 0;
  bool coalesced = false;  ///< Shared a read with others because we read late.
};

/// The events of CallRecord::tokens. Absent when the bytes are damaged; empty when there are none.
std::optional<std::vector<TextEvent>> text_events(std::string_view tokens);

/// Gaps between successive groups of text-bearing events. Events that share one stamp form one
/// group; a gap that touches a group with an event coalesced by the client is left out.
struct Gaps {
  std::vector<double> ms;
  int64_t events = 0;
  int64_t coalesced = 0;  ///< Of `events`.
};
Gaps icl_gaps(const CallRecord& record);
/// Above this share of coalesced events the 99th percentile of the gaps is withheld.
inline constexpr double kMaxCoalescedShare = 0.05;

/// How wrong a stamp may be: the kernel's was measured right to 8 us at p99; our own read is taken
/// at the call's client lag, or this where no kernel stamp tells the lag.
inline constexpr double kKernelStampErrorUs = 10;
inline constexpr double kReadStampErrorUs = 100;
double stamp_error_us(const CallRecord& record);

/// Decoding: tokens after the first event over the span from the first to the last text-bearing
/// event, (n_stream - n_first) / seconds. n_stream leaves out reasoning that was counted but never
/// streamed; n_first is what the engine says of the first event, else 1, and one more for each
/// further event under the first stamp.
struct Decode {
  std::optional<Ratio> parts;  ///< Tokens over seconds.
  /// Why there is none: `no_token_count`, `one_stamp` (fewer than two distinct stamps),
  /// `few_tokens` (fewer than kMinDecodeTokens after the first event), `short_span` (under
  /// kMinSpanErrors times the stamp error). Empty when there is one.
  std::string_view missing;
};
inline constexpr double kMinDecodeTokens = 15;
inline constexpr double kMinSpanErrors = 50;
Decode decode(const CallRecord& record);

/// Source 004: completion_tokens / ((total_duration_ms - first_delta_ms) / 1000) on the whole
/// milliseconds, one decimal.
struct TokensPerSec {
  Value value;
  /// `no_token_count`, `no_span` (the denominator is not positive), `one_chunk`; else empty.
  std::string_view missing;
};
TokensPerSec tokens_per_sec_or_reason(const CallRecord& record);

// Rates as parts, for pooling.
std::optional<Ratio> decode_parts(const CallRecord& record);   ///< tokens, seconds
std::optional<Ratio> prefill_parts(const CallRecord& record);  ///< evaluated tokens, seconds
std::optional<Ratio> chunk_parts(const CallRecord& record);    ///< events after the first, seconds
std::optional<Ratio> event_parts(const CallRecord& record);    ///< streamed tokens, events
std::optional<Ratio> e2e_parts(const CallRecord& record);      ///< output tokens, seconds
/// What the engine says of its own decoding: its output tokens over its decode time. Engines differ
/// in whether that time covers n or n - 1 tokens.
std::optional<Ratio> engine_decode_parts(const CallRecord& record);

// Definitions: the table in stats/metrics.cc, one line each.
Value ttft_ms(const CallRecord& record);
Value ttfv_ms(const CallRecord& record);
Value first_delta_ms(const CallRecord& record);
Value icl_ms(const CallRecord& record);  ///< The call's mean gap; legs pool the gaps themselves.
Value max_gap_ms(const CallRecord& record);
Value decode_tps(const CallRecord& record);
Value itl_ms(const CallRecord& record);
Value prefill_tps(const CallRecord& record);
Value prefill_ms(const CallRecord& record);  ///< The engine's own.
Value chunks_per_sec(const CallRecord& record);
Value tokens_per_event(const CallRecord& record);
Value tokens_per_sec(const CallRecord& record);
Value e2e_ms(const CallRecord& record);
Value e2e_tps(const CallRecord& record);
Value load_ms(const CallRecord& record);
Value cached_tokens(const CallRecord& record);
/// What the client, the answer's usage and the engine's own figures counted.
Value text_event_count(const CallRecord& record);
Value usage_output_tokens(const CallRecord& record);
Value engine_output_tokens(const CallRecord& record);
Value engine_decode_tps(const CallRecord& record);

/// How long a call that did not end properly was waited for: since `sent`, or since it was taken up
/// where it was never sent, to `ended`, or to the last thing that is known of it. At least 0.
double waited_ms(const CallRecord& record);

// Peers' variants, so that their numbers can be reconciled with ours.
Value tpot_vllm(const CallRecord& record);
Value tpot_guidellm(const CallRecord& record);
Value ntpot(const CallRecord& record);
Value itl_aiperf(const CallRecord& record);

}  // namespace derive
}  // namespace assay
