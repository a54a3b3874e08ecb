#include "stats/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

namespace assay {
namespace {

constexpr std::array kTtft{
    PeerFigure{"vLLM bench serve", "TTFT", "first_delta_ms",
               "stamps the first chunk that has choices: a role chunk without text counts"},
    PeerFigure{"evalscope", "TTFT", "first_delta_ms", "the same"},
    PeerFigure{"GuideLLM", "TTFT", "ttft_ms", "first content, reasoning or tool delta, as here"},
    PeerFigure{"AIPerf", "TTFT", "ttft_ms", "first content or reasoning, as here"},
    PeerFigure{"inference-perf", "TTFT", "ttfv_ms", "reasoning does not count"}};

constexpr std::array kDecode{
    PeerFigure{"vLLM bench serve", "TPOT", "tpot.vllm", "counts from the first chunk"},
    PeerFigure{"GuideLLM", "TPOT", "tpot.guidellm", "the wait for the first token is in it"},
    PeerFigure{"inference-perf", "NTPOT", "ntpot", "the whole call over its tokens"},
    PeerFigure{"AIPerf", "ITL", "itl.aiperf", "one token an event is taken for granted"},
    PeerFigure{"llama-benchy", "tg", "chunks_per_sec", "counts chunks, not tokens"},
    PeerFigure{"source 004", "tokens_per_sec", "tokens_per_sec",
               "all tokens over the time after the first event"},
    PeerFigure{"source 000", "tokens/s", "e2e_tps", "the wait for the first token is in it"}};

constexpr std::array kE2e{
    PeerFigure{"vLLM bench serve", "E2EL", "e2e_ms", "until the last chunk, as here"},
    PeerFigure{"HF inference-benchmarker", "e2e", "e2e_ms", "until [DONE], as here"}};

std::string ms(const std::optional<int64_t>& instant) {
  return fmt::format("{:.3f} ms", static_cast<double>(*instant) / 1e6);
}

using At = std::optional<int64_t>;

std::optional<std::string> difference(const At& later, const At& earlier) {
  if (!later || !earlier) return std::nullopt;
  return fmt::format("{} - {}", ms(later), ms(earlier));
}

/// `(64 - 1) tokens / (…)`; `first` are the tokens that do not count.
std::optional<std::string> rate(const std::optional<int64_t>& tokens, int64_t first,
                                const At& later, const At& earlier) {
  const auto span = difference(later, earlier);
  if (!tokens || !span) return std::nullopt;
  const std::string count =
      first > 0 ? fmt::format("({} - {})", *tokens, first) : fmt::format("{}", *tokens);
  return fmt::format("{} tokens / ({})", count, *span);
}

std::optional<std::string> per_token(const At& later, const At& earlier,
                                     const std::optional<int64_t>& tokens, int64_t first) {
  const auto span = difference(later, earlier);
  if (!tokens || !span) return std::nullopt;
  return first > 0 ? fmt::format("({}) / ({} - {}) tokens", *span, *tokens, first)
                   : fmt::format("({}) / {} tokens", *span, *tokens);
}

std::optional<std::string> of_004(const CallRecord& c) {
  if (!c.completion_tokens || !c.total_duration_ms || !c.first_delta_ms) return std::nullopt;
  return fmt::format("{} tokens / ({} ms - {} ms)", *c.completion_tokens, *c.total_duration_ms,
                     *c.first_delta_ms);
}

std::optional<std::string> of_prefill(const CallRecord& c) {
  if (!c.engine.prompt_tokens || !c.engine.prefill_ms) return std::nullopt;
  return fmt::format("{} tokens / {:.3f} ms, both by the engine", *c.engine.prompt_tokens,
                     *c.engine.prefill_ms);
}

struct Formula {
  std::string_view metric;
  std::optional<std::string> (*text)(const CallRecord&);
};
using Call = const CallRecord&;
constexpr std::array kFormulas{
    Formula{"ttft_ms", [](Call c) { return difference(c.at.first_text, c.at.sent); }},
    Formula{"ttfv_ms", [](Call c) { return difference(c.at.first_visible, c.at.sent); }},
    Formula{"first_delta_ms", [](Call c) { return difference(c.at.first_event, c.at.sent); }},
    Formula{"e2e_ms", [](Call c) { return difference(c.at.done, c.at.sent); }},
    Formula{"decode_tps",
            [](Call c) {
              return rate(c.completion_tokens, c.first_event_tokens.value_or(1), c.at.last_text,
                          c.at.first_text);
            }},
    Formula{"itl_ms",
            [](Call c) {
              return per_token(c.at.last_text, c.at.first_text, c.completion_tokens,
                               c.first_event_tokens.value_or(1));
            }},
    Formula{"e2e_tps", [](Call c) { return rate(c.completion_tokens, 0, c.at.done, c.at.sent); }},
    Formula{"prefill_tps", of_prefill},
    Formula{"tokens_per_sec", of_004},
    Formula{
        "tpot.vllm",
        [](Call c) { return per_token(c.at.last_text, c.at.first_event, c.completion_tokens, 1); }},
    Formula{"tpot.guidellm",
            [](Call c) { return per_token(c.at.last_text, c.at.sent, c.completion_tokens, 0); }},
    Formula{"ntpot",
            [](Call c) { return per_token(c.at.done, c.at.sent, c.completion_tokens, 0); }},
    Formula{"itl.aiperf", [](Call c) {
              return per_token(c.at.last_text, c.at.first_text, c.completion_tokens, 1);
            }}};

}  // namespace

std::span<const PeerFigure> peers_of(std::string_view metric) {
  if (metric == "ttft_ms" || metric == "ttfv_ms" || metric == "first_delta_ms") return kTtft;
  if (metric == "e2e_ms") return kE2e;
  constexpr std::array kDecodeFamily{"decode_tps", "itl_ms",        "tpot",  "tokens_per_sec",
                                     "tpot.vllm",  "tpot.guidellm", "ntpot", "itl.aiperf",
                                     "e2e_tps",    "chunks_per_sec"};
  const bool decode =
      std::find(kDecodeFamily.begin(), kDecodeFamily.end(), metric) != kDecodeFamily.end();
  return decode ? std::span<const PeerFigure>(kDecode) : std::span<const PeerFigure>();
}

std::optional<std::string> formula_with_values(std::string_view metric, const CallRecord& call) {
  if (metric == "tpot") metric = "itl_ms";
  for (const Formula& formula : kFormulas) {
    if (formula.metric == metric) return formula.text(call);
  }
  return std::nullopt;
}

std::string_view why_missing(const Metric& metric, const CallRecord& call) {
  if (metric.of_call(call)) return {};
  const std::string_view name = metric.name;
  const auto one_of = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (one_of({"decode_tps", "itl_ms", "tpot"})) return derive::decode(call).missing;
  if (name == "tokens_per_sec") return derive::tokens_per_sec_or_reason(call).missing;
  if (one_of({"prefill_tps", "prefill_ms", "load_ms", "engine_decode_tps", "cached_tokens"})) {
    return "engine_silent";
  }
  if (name == "ttft_ms" && call.at.sent) return "no_text";
  if (name == "ttfv_ms" && call.at.sent) return "no_visible_text";
  const bool counts =
      one_of({"e2e_tps", "tokens_per_event", "tpot.vllm", "tpot.guidellm", "ntpot", "itl.aiperf"});
  if (counts && !call.completion_tokens) return "no_token_count";
  if (one_of({"icl_ms", "max_gap_ms", "chunks_per_sec", "tpot.vllm", "itl.aiperf"})) {
    return "one_stamp";
  }
  return "no_instants";
}

std::string_view missing_text(std::string_view why) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kTexts{
      {{"no_token_count", "the server sent no token count; ask it for usage"},
       {"one_stamp", "all text came at one moment: there is no span to divide by"},
       {"one_chunk", "all text came in one event: there is no span to divide by"},
       {"no_span", "first event and end share a millisecond: there is no span to divide by"},
       {"few_tokens", "fewer than 15 tokens came after the first event; ask for longer answers"},
       {"short_span", "all text came within 50 times the error of a time stamp"},
       {"engine_silent", "the engine does not say it"},
       {"no_text", "no text came"},
       {"no_visible_text", "no visible text came, at most reasoning"}}};
  for (const auto& [code, text] : kTexts) {
    if (code == why) return text;
  }
  return why.empty() ? std::string_view() : "the record lacks an instant that it needs";
}

void MedianCalls::add(const CallRecord& call) {
  const int64_t place = places_++;
  if (!call.final || call.outcome != Outcome::kOk) return;
  Group& group = groups_[{call.cell_id, call.prompt_id, call.phase, call.concurrency, call.prefix}];
  if (const auto value = metric_.of_call(call)) {
    group.values.emplace_back(*value, place);
  } else {
    ++group.missing[why_missing(metric_, call)];
  }
}

MedianCalls::Found MedianCalls::find(const LegResult& leg) const {
  Found found;
  const auto group =
      groups_.find({leg.cell_id, leg.prompt_id, leg.phase, leg.concurrency, leg.prefix});
  if (group == groups_.end()) return found;
  if (!group->second.values.empty()) {
    auto values = group->second.values;
    const auto middle = values.begin() + (std::ssize(values) - 1) / 2;
    std::nth_element(values.begin(), middle, values.end());
    found.place = middle->second;
    return found;
  }
  for (const auto& [why, calls] : group->second.missing) {
    if (calls <= found.missing_calls) continue;
    found.missing = why;
    found.missing_calls = calls;
  }
  return found;
}

}  // namespace assay
