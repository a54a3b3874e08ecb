#pragma once

#include <optional>
#include <string_view>

#include "model/run.h"
#include "stats/legs.h"

namespace assay {

/// How much of what the machine can do a leg's speed takes.
struct CeilingShare {
  double share = 0;     ///< 0.61 is 61 %.
  std::string_view of;  ///< `bandwidth` or `compute`.
};
/// Above this no engine can be: the probe is short and the machine not ours alone, so it may find a
/// tenth less than there is.
inline constexpr double kImpossibleShare = 1.1;

/// Decoding reads all weights and the context's cache once for each token: speed times those bytes
/// over the memory's measured speed. One call at a time only: calls that are decoded together share
/// the reading. Absent where the model's header, its place or the machine is not known.
std::optional<CeilingShare> decode_ceiling(const RunMeta& meta, const LegResult& leg);

/// Prefill computes two operations a weight and token: over the measured operations.
std::optional<CeilingShare> prefill_ceiling(const RunMeta& meta, const LegResult& leg);

}  // namespace assay
