#include "reports/engine_says.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/text.h"

namespace assay {
namespace {

using Value = std::optional<double>;

constexpr double kHalfToken = 0.5;
/// More events than tokens are rare: engines that cut a token's bytes in two.
constexpr double kMostEventsPerToken = 1.05;

Value mean_of(const LegResult& leg, std::string_view metric) {
  const MetricResult* found = leg.find(metric);
  return found != nullptr ? found->summary.mean : std::nullopt;
}

bool counts_differ(Value usage, Value engine) {
  if (!usage || !engine) return false;
  return std::fabs(*usage - *engine) > std::max(kHalfToken, kMaxCountDifference * *engine);
}

/// A call's half token is rounding; more of them are not.
bool server_differs(const CountedTokens& counted) {
  const double difference = std::fabs(static_cast<double>(counted.server - counted.usage));
  return difference > std::max(kHalfToken * static_cast<double>(counted.calls),
                               kMaxCountDifference * static_cast<double>(counted.usage));
}

bool too_many_events(Value events, Value tokens) {
  return events && tokens && *events > kMostEventsPerToken * *tokens + 1;
}

/// Tokens of every call beyond its events, where an event is a token otherwise: as many in each
/// call, so no text that was bundled, whose tokens would vary.
Value hidden_tokens(const LegResult& leg) {
  constexpr size_t kLeastCalls = 3;
  const MetricResult* events = leg.find("text_events");
  const MetricResult* shares = leg.find("tokens_per_event");
  if (events == nullptr || shares == nullptr || leg.estimated_tokens) return std::nullopt;
  const size_t calls = events->values.size();
  if (calls < kLeastCalls || shares->values.size() != calls) return std::nullopt;
  Value hidden;
  for (size_t i = 0; i < calls; ++i) {
    const double share = shares->values[i];
    const double excess = std::round((share - 1) * events->values[i]);
    if (share > kMostTokensPerEvent || excess <= kMostHiddenTokens) return std::nullopt;
    if (hidden && *hidden != excess) return std::nullopt;
    hidden = excess;
  }
  return hidden;
}

/// The server's count of that leg a call, where it is of the leg alone.
Value counted_tokens(const LegResult& leg, const ServerTokens& counted) {
  const auto found = counted.legs.find(leg.leg);
  if (leg.split || found == counted.legs.end()) return std::nullopt;
  return static_cast<double>(found->second.server) / static_cast<double>(found->second.calls);
}

bool speeds_differ(Value difference) {
  return difference && std::fabs(*difference) > kMaxSpeedDifference;
}

Value tokens_of(const CellSummary& cell) {
  return cell.usage_tokens ? cell.usage_tokens : cell.engine_tokens;
}

}  // namespace

void reconcile(std::span<const LegResult* const> legs, const ServerTokens& counted,
               CellSummary& cell) {
  // The longest answers tell most.
  for (const LegResult* leg : legs) {
    const Value events = mean_of(*leg, "text_events");
    if (!events || (cell.text_events && *events <= *cell.text_events)) continue;
    cell.text_events = events;
    cell.usage_tokens = mean_of(*leg, "usage_output_tokens");
    cell.engine_tokens = mean_of(*leg, "engine_output_tokens");
    if (!cell.engine_tokens) cell.engine_tokens = counted_tokens(*leg, counted);
    cell.hidden_tokens = hidden_tokens(*leg);
  }
  if (const auto server = counted.cells.find(cell.cell); server != counted.cells.end()) {
    cell.server = server->second;
  }
  cell.contradicted = !contradiction_text(cell).empty();
}

std::string engine_says_text(const CellSummary& cell) {
  const std::string mark = cell.contradicted ? "!" : "";
  if (!cell.tg_difference) return cell.contradicted ? "!" : "-";
  return fmt::format("{:.2f}x{}", 1 + *cell.tg_difference, mark);
}

std::string contradiction_text(const CellSummary& cell) {
  std::vector<std::string> texts;
  if (speeds_differ(cell.tg_difference)) {
    texts.push_back(fmt::format("tg is {:.1f} tok/s here and {:.1f} by the engine", *cell.tg_tps,
                                *cell.engine_tg_tps));
  }
  if (counts_differ(cell.usage_tokens, cell.engine_tokens)) {
    texts.push_back(fmt::format("usage counts {:.1f} output tokens a call, the engine {:.1f}",
                                *cell.usage_tokens, *cell.engine_tokens));
  }
  const Value tokens = tokens_of(cell);
  if (too_many_events(cell.text_events, tokens)) {
    texts.push_back(fmt::format("{:.1f} events with text came a call for {:.1f} tokens",
                                *cell.text_events, *tokens));
  }
  if (cell.hidden_tokens) {
    texts.push_back(
        fmt::format("usage counts {:.0f} tokens of each call that no event brought: tg holds them",
                    *cell.hidden_tokens));
  }
  if (const auto& server = cell.server; server && server_differs(*server)) {
    texts.push_back(fmt::format(
        "the server counted {} output tokens over {} calls and usage {}: other clients, or a wrong "
        "count",
        grouped(static_cast<double>(server->server), 0), server->calls,
        grouped(static_cast<double>(server->usage), 0)));
  }
  return join(texts, "; ");
}

}  // namespace assay
