#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mock/behaviour.h"
#include "mock/call.h"
#include "mock/options.h"

namespace assay {

/// What an answer says, before anybody knows when.
struct AnswerToken {
  enum class Channel : uint8_t { kContent, kReasoning, kToolName, kToolArguments };
  std::string text;
  Channel channel = Channel::kContent;
};

struct Answer {
  std::vector<AnswerToken> tokens;
  std::string finish_reason;     ///< stop, length, tool_calls.
  int64_t reasoning_tokens = 0;  ///< Tags count as reasoning.

  /// The texts of a channel, joined.
  [[nodiscard]] std::string text(AnswerToken::Channel channel) const;
};

/// Pure: the same seed, model and prompt give the same answer. `room` caps the number of tokens
/// (what the context leaves).
Answer make_answer(const Call& call, const MockOptions& options,
                   const std::map<std::string, std::string>& script, const Behaviour& behaviour,
                   int64_t room);

}  // namespace assay
