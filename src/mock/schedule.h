#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "mock/options.h"

namespace assay {

/// When everything of one answer is due. Absolute instants, fixed before the first byte is sent,
/// so that lateness of one event never moves the next.
struct Schedule {
  MonoNs received = 0;      ///< The request was whole.
  MonoNs start = 0;         ///< It got its slot; `received` without a queue.
  Nanos load{};             ///< Part of the wait that is the model's load.
  Nanos prefill{};          ///< ttft and the time for new prompt tokens.
  MonoNs first = 0;         ///< start + load + prefill.
  MonoNs last = 0;          ///< Of the last token; `first` when there is none.
  std::vector<MonoNs> due;  ///< One per token.
};

/// `gap_seed` alone decides the gaps: the same on every machine.
Schedule make_schedule(const MockOptions& options, MonoNs received, MonoNs start, Nanos load,
                       int64_t new_prompt_tokens, size_t tokens, uint64_t gap_seed);

/// The gaps between `tokens` tokens: one fewer than tokens, none negative.
std::vector<Nanos> make_gaps(const MockOptions& options, size_t tokens, uint64_t gap_seed);

}  // namespace assay
