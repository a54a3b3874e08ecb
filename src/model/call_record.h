#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/enum_text.h"

namespace assay {

/// Which part of a run a call belongs to. Warm-up calls are recorded and excluded from figures.
/// kSkipped stands for a whole cell that could not be planned, such as an unreachable one.
enum class Phase : uint8_t { kWarmup, kCold, kWarm, kMeasure, kSkipped };

/// What happened technically. Only kOk enters figures; every other one is counted beside them.
enum class Outcome : uint8_t { kOk, kError, kTimeout, kCancelled, kSkipped };

/// Whether the engine had part of the prompt in its cache: the three are never pooled.
enum class Prefix : uint8_t { kUnknown, kFresh, kReused };

/// Where the output token count comes from, best first. An estimate is printed with `~`.
enum class TokenSource : uint8_t { kNone, kUsage, kEngine, kTokenize, kEstimate };

/// Who stamped the bytes of a call: the kernel, our own read, or some of each.
enum class StampSource : uint8_t { kNone, kKernel, kRead, kMixed };

/// Instants of one call, nanoseconds since the run's start on the monotonic clock. Absent means it
/// never happened. Definitions: docs/formats/ledger.md.
struct Instants {
  using At = std::optional<int64_t>;
  At due;                         ///< Scheduled to be sent.
  At start;                       ///< Taken up by a worker.
  At connected;                   ///< Connection made; absent when one was reused.
  At sent;                        ///< Read just before the first send().
  At sent_end;                    ///< The last byte of the request was handed to the kernel.
  At first_byte;                  ///< First byte of the response.
  At first_event;                 ///< First event that is no comment.
  At first_role;                  ///< First role-only, empty or null delta.
  At load_start, load_end;        ///< The engine loaded the model, where it says so.
  At prefill_start, prefill_end;  ///< The engine processed the prompt, where it says so.
  At first_text;       ///< First text-bearing event: content, reasoning, refusal or tool call.
  At first_reasoning;  ///< First byte of reasoning.
  At first_visible;    ///< First non-white byte outside reasoning.
  At first_tool;       ///< First tool-call name.
  At first_tool_args;  ///< First byte of tool-call arguments.
  At last_text;        ///< Last text-bearing event.
  At done;             ///< The terminating event.
  At ended;            ///< Given up: of a call that failed, ran out of time or was cancelled.
  // Of a cold call: before `sent`, and from `start` on.
  At unload_start, unload_end;  ///< The engine was asked to unload, and had done so.
  At pause_end;                 ///< The planned pause after it was over.
};

/// What the engine says about its own work on a call. Milliseconds; absent where it does not say.
struct EngineFigures {
  std::optional<int64_t> prompt_tokens;  ///< Tokens evaluated, cached ones not among them.
  std::optional<double> prefill_ms;
  std::optional<int64_t> output_tokens;
  std::optional<double> decode_ms;
  std::optional<double> load_ms;
  std::optional<double> total_ms;
  std::optional<double> decode_tps;  ///< Where it states a rate in place of a time.
  std::optional<double> ttft_ms;
};

/// One attempt at one planned call: raw facts. Every figure is derived from these. A planned call
/// has exactly one record with `final` set; earlier attempts precede it.
struct CallRecord {
  // Source 004's fields, in its order.
  std::string cell_id;  ///< `node:engine:model`, split at the first two colons.
  std::string prompt_id;
  Phase phase = Phase::kMeasure;
  int64_t run_idx = 0;                       ///< Counts within (cell, prompt, phase, concurrency).
  std::optional<int64_t> first_delta_ms;     ///< first_event - sent, rounded.
  std::optional<int64_t> total_duration_ms;  ///< done - sent, rounded.
  std::optional<int64_t> prompt_tokens;      ///< As the engine reports them, cached ones included.
  std::optional<int64_t> completion_tokens;  ///< Output tokens, reasoning included.
  std::optional<double> tokens_per_sec;      ///< Source 004's formula, one decimal.
  std::optional<std::string> finish_reason;
  std::string backend;               ///< Engine kind, or what a routing header named.
  std::optional<std::string> error;  ///< One sentence; also the reason of a skip.

  // Ours.
  std::string run_id;
  int64_t index = 0;    ///< Position in the plan, from 0.
  int64_t leg = 0;      ///< Index into the plan's legs.
  int64_t attempt = 1;  ///< From 1.
  bool final = true;
  bool resumed = false;  ///< In flight when an earlier session of this run ended; done again.
  Outcome outcome = Outcome::kSkipped;
  std::optional<std::string> error_code;  ///< Closed list: docs/formats/ledger.md.
  std::vector<std::string> flags;         ///< Caveats, such as `length`, `empty`, `bad_usage`.
  int64_t concurrency = 1;
  Prefix prefix = Prefix::kUnknown;
  std::string prompt_sha256;  ///< Of the prompt's frozen text, before any salt.
  std::string settings_hash;
  std::optional<std::string> cold_kind;
  std::optional<int64_t> http_status;
  Instants at;
  TokenSource token_source = TokenSource::kNone;
  std::optional<int64_t> cached_tokens;
  std::optional<int64_t> reasoning_tokens;
  std::optional<int64_t> usage_output_tokens;  ///< From the response's usage, before choosing.
  std::optional<int64_t> first_event_tokens;   ///< Tokens in the first text-bearing event, if told.
  EngineFigures engine;
  int64_t events = 0;  ///< Events that are no comments.
  int64_t text_events = 0;
  int64_t text_bytes = 0;  ///< Visible and tool text, UTF-8.
  int64_t reasoning_bytes = 0;
  int64_t reads = 0;             ///< Reads that brought text-bearing events.
  int64_t client_coalesced = 0;  ///< Text-bearing events that shared a read because we read late.
  int64_t server_coalesced = 0;  ///< Text-bearing events that arrived together.
  StampSource stamps = StampSource::kNone;
  std::optional<int64_t> client_lag_max_us;  ///< Read time minus kernel receive time.
  std::optional<int64_t> client_lag_p99_us;
  std::optional<int64_t> min_rtt_us;  ///< The connection's tcpi_min_rtt.
  std::string response_sha256;        ///< Of the visible text; empty when there is none.
  /// Text-bearing events as varints, base64 in the ledger: microseconds since the event before (the
  /// first since `sent`), then (bytes << 1 | coalesced by the client).
  std::string tokens;
  int64_t restart = 0;   ///< How often the model had been loaded anew before, in this run.
  std::string endpoint;  ///< Path of the request; empty when nothing was sent.
  // Of a cold call, where the engine's files and process are at hand.
  std::optional<double> page_cache_share;  ///< Of the model file, 0 to 1, just before the load.
  std::optional<int64_t> read_bytes;       ///< From storage, by the engine's process, in the call.
  std::optional<std::string> cold_note;    ///< Why one of the two is absent.
};

template <>
struct EnumText<Phase> {
  static constexpr std::array kNames{std::pair{Phase::kWarmup, std::string_view("warmup")},
                                     std::pair{Phase::kCold, std::string_view("cold")},
                                     std::pair{Phase::kWarm, std::string_view("warm")},
                                     std::pair{Phase::kMeasure, std::string_view("measure")},
                                     std::pair{Phase::kSkipped, std::string_view("skipped")}};
};
template <>
struct EnumText<Outcome> {
  static constexpr std::array kNames{std::pair{Outcome::kOk, std::string_view("ok")},
                                     std::pair{Outcome::kError, std::string_view("error")},
                                     std::pair{Outcome::kTimeout, std::string_view("timeout")},
                                     std::pair{Outcome::kCancelled, std::string_view("cancelled")},
                                     std::pair{Outcome::kSkipped, std::string_view("skipped")}};
};
template <>
struct EnumText<Prefix> {
  static constexpr std::array kNames{std::pair{Prefix::kUnknown, std::string_view("unknown")},
                                     std::pair{Prefix::kFresh, std::string_view("fresh")},
                                     std::pair{Prefix::kReused, std::string_view("reused")}};
};
template <>
struct EnumText<TokenSource> {
  static constexpr std::array kNames{
      std::pair{TokenSource::kNone, std::string_view("none")},
      std::pair{TokenSource::kUsage, std::string_view("usage")},
      std::pair{TokenSource::kEngine, std::string_view("engine")},
      std::pair{TokenSource::kTokenize, std::string_view("tokenize")},
      std::pair{TokenSource::kEstimate, std::string_view("estimate")}};
};
template <>
struct EnumText<StampSource> {
  static constexpr std::array kNames{std::pair{StampSource::kNone, std::string_view("none")},
                                     std::pair{StampSource::kKernel, std::string_view("kernel")},
                                     std::pair{StampSource::kRead, std::string_view("read")},
                                     std::pair{StampSource::kMixed, std::string_view("mixed")}};
};

}  // namespace assay
