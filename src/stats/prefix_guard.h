#pragma once

#include <optional>

#include "model/run.h"

namespace assay {

/// The largest share of prompt tokens that a server had in its prefix cache, by its own counters,
/// over stages whose prompts are all salted per call: nothing of ours can have been there before.
/// Absent where no server counts.
std::optional<double> salted_hit_share(const LedgerContent& ledger);

}  // namespace assay
