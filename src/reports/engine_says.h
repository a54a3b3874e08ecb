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

/// Tokens of a call that need no event: of the answer's end, of a thought that stayed empty.
inline constexpr double kMostHiddenTokens = 2;
/// Where events stand for more tokens than this each, the engine bundles them.
inline constexpr double kMostTokensPerEvent = 1.1;

/// Fills text_events, usage_tokens, engine_tokens, hidden_tokens, server and contradicted from the
/// cell's legs; the speeds and their differences are there already. `legs` are those that the
/// cell's figures are made from. Where answers do not bring the engine's own count, its server's
/// counters stand in, if they are of that leg alone.
void reconcile(std::span<const LegResult* const> legs, const ServerTokens& counted,
               CellSummary& cell);

/// `0.99x`: the client's tg over the engine's; with `!` when contradicted; `-` when it tells none.
std::string engine_says_text(const CellSummary& cell);

/// What contradicts what, in words; empty when nothing does.
std::string contradiction_text(const CellSummary& cell);

}  // namespace assay
