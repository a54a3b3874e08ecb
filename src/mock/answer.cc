#include "mock/answer.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/random.h"
#include "mock/tokens.h"

namespace assay {

namespace {

using Channel = AnswerToken::Channel;

constexpr std::string_view kWords[] = {
    "river",  "stone",  "light",  "paper",  "green",  "window", "market", "letter",
    "number", "garden", "winter", "summer", "bridge", "castle", "forest", "island",
    "silver", "golden", "simple", "quiet",  "early",  "bright", "north",  "south",
    "engine", "signal", "metric", "sample", "answer", "reason", "result", "record"};

/// Two for `<think>`, two for `</think>`.
constexpr int64_t kSplitTagTokens = 4;

class Filler {
 public:
  explicit Filler(uint64_t seed) : random_(seed) {}

  std::string next() {
    const std::string_view word = kWords[random_.below(std::size(kWords))];
    std::string text = first_ ? "" : " ";
    first_ = false;
    return text.append(word);
  }
  void restart() { first_ = true; }

 private:
  SplitMix64 random_;
  bool first_ = true;
};

/// The visible text, where something prescribes it.
std::optional<std::vector<std::string_view>> prescribed_tokens(
    const Call& call, const std::map<std::string, std::string>& script,
    const Behaviour& behaviour) {
  if (behaviour.empty) return std::vector<std::string_view>();
  if (behaviour.text) return split_tokens(*behaviour.text);
  auto found = script.find(call.last_user);
  if (found == script.end()) found = script.find("*");
  if (found == script.end()) return std::nullopt;
  return split_tokens(found->second);
}

Answer tool_call_answer(const Call& call) {
  Answer answer;
  answer.finish_reason = "tool_calls";
  answer.tokens.push_back({call.tool.empty() ? "get_weather" : call.tool, Channel::kToolName});
  for (const char* part : {"{\"ci", "ty\": \"Par", "is\", ", "\"unit\": ", "\"celsius\"}"}) {
    answer.tokens.push_back({part, Channel::kToolArguments});
  }
  return answer;
}

struct Lengths {
  int64_t reasoning = 0, visible = 0;
  bool cut = false;
};

Lengths lengths_of(const Call& call, int64_t natural_visible, bool prescribed, double share,
                   int64_t room) {
  int64_t total = natural_visible;
  if (prescribed && share > 0 && share < 1) {
    total = std::llround(static_cast<double>(natural_visible) / (1 - share));
  }
  const int64_t extra = prescribed ? total - natural_visible : 0;
  if (call.min_tokens) total = std::max(total, *call.min_tokens);
  if (call.exact_length && call.max_tokens) total = *call.max_tokens;
  Lengths lengths;
  lengths.cut = call.max_tokens && total >= *call.max_tokens;
  if (lengths.cut) total = *call.max_tokens;
  if (total > room) {
    total = room;
    lengths.cut = true;
  }
  lengths.reasoning = prescribed && share < 1 ? std::min(total, extra)
                                              : std::llround(static_cast<double>(total) * share);
  lengths.visible = total - lengths.reasoning;
  return lengths;
}

void put_tags(std::vector<AnswerToken>& tokens, size_t reasoning, bool split) {
  for (size_t i = 0; i < reasoning; ++i) tokens[i].channel = Channel::kContent;
  if (split && reasoning >= static_cast<size_t>(kSplitTagTokens)) {
    tokens[0].text = "<th";
    tokens[1].text = "ink>";
    tokens[reasoning - 2].text = "</thi";
    tokens[reasoning - 1].text = "nk>";
  } else if (!split && reasoning >= 2) {
    tokens[0].text = "<think>";
    tokens[reasoning - 1].text = "</think>";
  }
}

}  // namespace

std::string Answer::text(Channel channel) const {
  std::string text;
  for (const AnswerToken& token : tokens) {
    if (token.channel == channel) text += token.text;
  }
  return text;
}

Answer make_answer(const Call& call, const MockOptions& options,
                   const std::map<std::string, std::string>& script, const Behaviour& behaviour,
                   int64_t room) {
  const bool chat = call.api == Api::kOpenAiChat || call.api == Api::kOllamaChat;
  if (behaviour.tool_calls && chat) return tool_call_answer(call);

  Answer answer;
  if (behaviour.one_token_bytes > 0) {
    answer.tokens.push_back(
        {std::string(static_cast<size_t>(behaviour.one_token_bytes), 'a'), Channel::kContent});
    answer.finish_reason = "stop";
    return answer;
  }
  const auto prescribed = prescribed_tokens(call, script, behaviour);
  const bool may_reason = call.think && call.api != Api::kOpenAiText && !behaviour.empty;
  double share = may_reason ? options.reasoning_share : 0;
  if (behaviour.split_think_tags && share == 0) share = 0.5;
  const auto natural = prescribed ? static_cast<int64_t>(prescribed->size()) : options.tokens;
  Lengths lengths = lengths_of(call, natural, prescribed.has_value(), share, room);
  if (behaviour.split_think_tags && lengths.reasoning < kSplitTagTokens) {
    const int64_t moved = std::min(lengths.visible, kSplitTagTokens - lengths.reasoning);
    lengths.reasoning += moved;
    lengths.visible -= moved;
  }
  if (behaviour.empty) {
    answer.finish_reason = "stop";
    return answer;
  }

  Filler filler(options.seed ^ text_hash(call.model) ^ (text_hash(call.last_user) << 1));
  for (int64_t i = 0; i < lengths.reasoning; ++i) {
    answer.tokens.push_back({filler.next(), Channel::kReasoning});
  }
  filler.restart();
  for (int64_t i = 0; i < lengths.visible; ++i) {
    const bool given = prescribed && i < natural;
    answer.tokens.push_back(
        {given ? std::string((*prescribed)[static_cast<size_t>(i)]) : filler.next(),
         Channel::kContent});
  }
  answer.reasoning_tokens = lengths.reasoning;
  answer.finish_reason = lengths.cut ? "length" : "stop";
  if (behaviour.split_think_tags || options.reasoning_style == ReasoningStyle::kTags) {
    put_tags(answer.tokens, static_cast<size_t>(lengths.reasoning), behaviour.split_think_tags);
  }
  return answer;
}

}  // namespace assay
