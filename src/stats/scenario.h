#pragma once

#include <span>
#include <string>

#include "model/run.h"

namespace assay {

/// What a planned leg takes for granted, and whether it was so. Returns why its figures would be
/// those of another question, or empty. `ok` are the leg's answered calls of one prefix state.
/// - Prefix: a prompt with a salt of its own in every call is new to the engine, but for the chat
///   template's own tokens (kUsualOverhead where their number is not known).
/// - Prompt length: the median count is within kLengthTolerance of what was asked for, or within
///   kLengthSlack tokens (salt, template and the request for a long answer are not counted out),
///   where the engine's own count of synthetic text is known.
/// - Output length: the median count reaches what was asked for: within kLengthTolerance where the
///   engine takes a fixed length, else kLeastOutput of it.
/// - Concurrency: the engine has as many slots as calls in flight. Where it does not tell, answers
///   that could have overlapped did: see answers_at_once().
std::string void_reason(const RunMeta& meta, const Leg& leg, std::span<const CallRecord* const> ok);
inline constexpr double kLengthTolerance = 0.1;
inline constexpr double kLengthSlack = 64;
inline constexpr int64_t kUsualOverhead = 64;
inline constexpr double kLeastOutput = 0.5;

/// The most answers whose times from first to last text overlap. Absent where the spans could not
/// show it: fewer than two a worker, or so short that reading the prompts one after the other would
/// explain it (the shortest TTFT times the concurrency exceeds the median span).
std::optional<int64_t> answers_at_once(std::span<const CallRecord* const> ok, int64_t concurrency);

}  // namespace assay
