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

bool too_many_events(Value events, Value tokens) {
  return events && tokens && *events > kMostEventsPerToken * *tokens + 1;
}

bool speeds_differ(Value difference) {
  return difference && std::fabs(*difference) > kMaxSpeedDifference;
}

Value tokens_of(const CellSummary& cell) {
  return cell.usage_tokens ? cell.usage_tokens : cell.engine_tokens;
}

}  // namespace

void reconcile(std::span<const LegResult* const> legs, CellSummary& cell) {
  // The longest answers tell most.
  for (const LegResult* leg : legs) {
    const Value events = mean_of(*leg, "text_events");
    if (!events || (cell.text_events && *events <= *cell.text_events)) continue;
    cell.text_events = events;
    cell.usage_tokens = mean_of(*leg, "usage_output_tokens");
    cell.engine_tokens = mean_of(*leg, "engine_output_tokens");
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
  return join(texts, "; ");
}

}  // namespace assay
