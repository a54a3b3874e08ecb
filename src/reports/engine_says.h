#pragma once

#include <optional>
#include <span>
#include <string>

#include "reports/report_model.h"

namespace assay {

// Three sides tell of one call: the client that saw its events, the usage in the answer, and the
// engine's own figures. Where two of them cannot both be right, the figures are marked.

/// A speed of the client may differ from the engine's by this share: they do not span the same.
inline constexpr double kMaxSpeedDifference = 0.05;
/// Counts of the same tokens may differ by this share, and by half a token.
inline constexpr double kMaxCountDifference = 0.01;

/// Fills text_events, usage_tokens, engine_tokens and contradicted from the cell's legs; the speeds
/// and their differences are there already. `legs` are those that the cell's figures are made from.
void reconcile(std::span<const LegResult* const> legs, CellSummary& cell);

/// `0.99x`: the client's tg over the engine's; with `!` when contradicted; `-` when it tells none.
std::string engine_says_text(const CellSummary& cell);

/// What contradicts what, in words; empty when nothing does.
std::string contradiction_text(const CellSummary& cell);

}  // namespace assay
