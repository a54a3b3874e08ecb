#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace assay {

/// What a call has to hold to be good for the one who waits for it.
struct Objective {
  enum class What : uint8_t {
    kTtft,  ///< Time to first text, from when the call was due, at most so many ms.
    kTpot,  ///< Time per output token after the first, at most so many ms.
    kItl,   ///< The same by its other name.
    kE2e,   ///< The whole call, from when it was due, at most so many ms.
    kTps    ///< Tokens a second of the answer, at least so many.
  };
  What what = What::kTtft;
  double limit = 0;  ///< Milliseconds, or tokens a second.
};

/// `ttft:2s,tps:10`: each of ttft, tpot, itl, e2e and tps at most once, a duration behind all but
/// the last. kInvalidArgument names the part that is none.
Result<std::vector<Objective>> parse_objectives(std::string_view text);

/// `TTFT at most 2s`, `at least 10 tok/s`.
std::string objective_text(const Objective& objective);

/// How sure a level of concurrency has to be shown: the one-sided bound of goodput.
inline constexpr double kSure = 0.95;

/// Whether a share of calls can be asked for: at least half, and not all, which no number of calls
/// shows.
bool is_attainment(double share);

/// The fewest calls that, all good, show with kSure that `share` of all calls are.
int64_t calls_to_show(double share);

}  // namespace assay
