#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/run.h"

namespace assay {

/// From when to when answers came, of calls whose text took time.
struct AnswerSpans {
  std::vector<std::pair<int64_t, int64_t>> texts;  ///< First and last text, ns.
  std::optional<double> shortest_wait_ms;          ///< The least TTFT.

  void add(const CallRecord& call);
};

/// The answered calls of one leg and prefix state, as far as void_reason() asks. Counts are of the
/// calls that have one.
struct Answers {
  int64_t calls = 0;
  std::vector<double> prompt_tokens;
  std::vector<double> cached_tokens;
  std::vector<double> completion_tokens;
  AnswerSpans spans;  ///< Filled by who needs them.

  void add(const CallRecord& call);
};

/// Why a leg's figures would be those of another question; `text` is empty where they are not.
struct VoidReason {
  std::string text;
  /// Its calls were as planned, and waited for each other: no figure of the engine, and what users
  /// would feel.
  bool queued = false;
};

/// What a planned leg takes for granted, and whether it was so. `ok` are the leg's answered calls
/// of that prefix state, their spans among them where it has several calls at a time.
/// - Prefix: a prompt with a salt of its own in every call is new to the engine, but for the chat
///   template's own tokens (kUsualOverhead where their number is not known).
/// - Prompt length: the median count is within kLengthTolerance of what was asked for, or within
///   kLengthSlack tokens (salt, template and the request for a long answer are not counted out),
///   where the engine's own count of synthetic text is known.
/// - Output length: the median count reaches what was asked for: within kLengthTolerance where the
///   engine takes a fixed length, else kLeastOutput of it.
/// - Concurrency: the engine has as many slots as calls in flight. Where it does not tell, answers
///   that could have overlapped did: see answers_at_once().
VoidReason void_reason(const RunMeta& meta, const Leg& leg, Prefix prefix, const Answers& ok);
inline constexpr double kLengthTolerance = 0.1;
inline constexpr double kLengthSlack = 64;
inline constexpr int64_t kUsualOverhead = 64;
inline constexpr double kLeastOutput = 0.5;

/// Whether an engine cut a prompt of about `expected` tokens: it counted fewer by more than a
/// twentieth, and by more than kLengthSlack, since a salt's own tokens vary from call to call.
bool is_truncated(int64_t counted, int64_t expected);

/// The most answers whose times from first to last text overlap. Absent where the spans could not
/// show it: fewer than two a worker, or so short that reading the prompts one after the other would
/// explain it (the shortest TTFT times the concurrency exceeds the median span).
std::optional<int64_t> answers_at_once(const AnswerSpans& spans, int64_t concurrency);

}  // namespace assay
