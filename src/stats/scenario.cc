#include "stats/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "stats/derive.h"
#include "stats/percentiles.h"

namespace assay {
namespace {

void add_count(const std::optional<int64_t>& count, std::vector<double>& counts) {
  if (count) counts.push_back(static_cast<double>(*count));
}

const Prompt* prompt_of(const RunMeta& meta, const Leg& leg) {
  if (leg.prompt < 0 || leg.prompt >= static_cast<int64_t>(meta.prompts.size())) return nullptr;
  return &meta.prompts[static_cast<size_t>(leg.prompt)];
}

std::string cached_prompt(const Cell& cell, const Prompt& prompt, Prefix prefix,
                          const Answers& ok) {
  if (prompt.salt != Prompt::Salt::kPerCall || prefix != Prefix::kReused) return {};
  const auto cached = median(ok.cached_tokens);
  const auto sent = median(ok.prompt_tokens);
  if (!cached || !sent) return {};
  // What the chat template puts before the salt is the same in every call, and no reuse of it.
  const auto own = static_cast<double>(cell.prompt_overhead.value_or(kUsualOverhead));
  if (*cached - own <= kTemplateShare * *sent) return {};
  return fmt::format("{:.0f} of {:.0f} prompt tokens came from the engine's cache", *cached, *sent);
}

std::string wrong_prompt(const Cell& cell, const Prompt& prompt, const Answers& ok) {
  if (!prompt.target_tokens || !cell.tokens_per_word) return {};
  const auto found = median(ok.prompt_tokens);
  const auto asked = static_cast<double>(*prompt.target_tokens);
  if (!found) return {};
  if (std::fabs(*found - asked) <= std::max(kLengthSlack, kLengthTolerance * asked)) return {};
  return fmt::format("the prompt had {:.0f} tokens instead of {:.0f}", *found, asked);
}

std::string short_answer(const Cell& cell, const Leg& leg, const Answers& ok) {
  if (!leg.settings.fixed_length || !leg.settings.max_tokens) return {};
  const auto found = median(ok.completion_tokens);
  const auto asked = static_cast<double>(*leg.settings.max_tokens);
  const double least =
      asked *
      (cell.kind == "llamacpp" || cell.kind == "vllm" ? 1 - kLengthTolerance : kLeastOutput);
  if (!found || *found + 1 >= least) return {};
  return fmt::format("answers had {:.0f} tokens instead of {:.0f}", *found, asked);
}

std::string queued(const Cell& cell, const Leg& leg, const Answers& ok) {
  if (leg.concurrency <= 1) return {};
  const auto at_once = cell.slots ? cell.slots : answers_at_once(ok.spans, leg.concurrency);
  if (!at_once || *at_once >= leg.concurrency) return {};
  return fmt::format(
      "the engine worked on {} {} at once instead of {}: what looks like latency is "
      "its queue",
      *at_once, *at_once == 1 ? "call" : "calls", leg.concurrency);
}

}  // namespace

bool is_truncated(int64_t counted, int64_t expected) {
  constexpr double kTruncated = 0.05;
  const auto missing = static_cast<double>(expected - counted);
  return missing > std::max(kLengthSlack, kTruncated * static_cast<double>(expected));
}

void AnswerSpans::add(const CallRecord& call) {
  const auto ttft = derive::ttft_ms(call);
  if (!ttft || !call.at.last_text || *call.at.last_text <= *call.at.first_text) return;
  texts.emplace_back(*call.at.first_text, *call.at.last_text);
  shortest_wait_ms = std::min(shortest_wait_ms.value_or(*ttft), *ttft);
}

void Answers::add(const CallRecord& call) {
  ++calls;
  add_count(call.prompt_tokens, prompt_tokens);
  add_count(call.cached_tokens, cached_tokens);
  add_count(call.completion_tokens, completion_tokens);
}

std::optional<int64_t> answers_at_once(const AnswerSpans& spans, int64_t concurrency) {
  if (static_cast<int64_t>(spans.texts.size()) < 2 * concurrency) return std::nullopt;
  std::vector<double> lasted_ms;
  std::vector<std::pair<int64_t, int64_t>> edges;
  for (const auto& [first, last] : spans.texts) {
    lasted_ms.push_back(static_cast<double>(last - first) / 1e6);
    edges.emplace_back(first, 1);
    edges.emplace_back(last, -1);
  }
  if (*spans.shortest_wait_ms * static_cast<double>(concurrency) > *median(lasted_ms)) {
    return std::nullopt;
  }
  std::sort(edges.begin(), edges.end());
  int64_t now = 0;
  int64_t most = 0;
  for (const auto& [at, change] : edges) {
    now += change;
    most = std::max(most, now);
  }
  return most;
}

VoidReason void_reason(const RunMeta& meta, const Leg& leg, Prefix prefix, const Answers& ok) {
  const Prompt* prompt = prompt_of(meta, leg);
  const bool planned = leg.cell >= 0 && leg.cell < static_cast<int64_t>(meta.cells.size());
  if (ok.calls == 0 || prompt == nullptr || !planned) return {};
  const Cell& cell = meta.cells[static_cast<size_t>(leg.cell)];
  for (std::string reason : {cached_prompt(cell, *prompt, prefix, ok),
                             wrong_prompt(cell, *prompt, ok), short_answer(cell, leg, ok)}) {
    if (!reason.empty()) return {std::move(reason), false};
  }
  return {queued(cell, leg, ok), true};
}

}  // namespace assay
