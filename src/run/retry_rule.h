#pragma once

#include <algorithm>
#include <optional>

#include "engines/call.h"
#include "net/failure.h"

namespace assay {

/// Worth another attempt: the server asked for it, stumbled, or was not there. Whatever reached the
/// server otherwise is not repeated: it may have been worked on, and its failure is a result.
inline bool is_retryable(const CallRecord& record) {
  if (record.outcome != Outcome::kError || !record.error_code) return false;
  if (record.http_status) {
    return *record.http_status == 429 || (*record.http_status >= 500 && *record.http_status < 600);
  }
  return *record.error_code == failure::kConnect;
}

/// Whether another attempt is to follow at once, at the cost of none of the retries: a refused
/// optional member is left out from then on, a model that was gone is loaded by the next call.
inline bool asks_again_at_once(const CallResult& result) {
  return result.refused_member || result.model_unloaded;
}

/// Whether another attempt is to follow.
inline bool wants_another(const CallResult& result, int64_t retries_left) {
  return asks_again_at_once(result) || (retries_left > 0 && is_retryable(result.record));
}

/// How long to wait before it: what the server asks, at most a minute, else 100 ms doubled each
/// time, at most 25.6 s; and up to a tenth more, so that workers do not come back together.
/// `failures` counts from 1, `jitter` is between 0 and 1.
inline Nanos retry_wait(int64_t failures, std::optional<Nanos> asked, double jitter) {
  constexpr Nanos kMaxRetryAfter = std::chrono::seconds(60);
  constexpr int64_t kFirstNs = 100'000'000;
  const Nanos wait = asked ? std::min(*asked, kMaxRetryAfter)
                           : Nanos(kFirstNs << std::clamp<int64_t>(failures - 1, 0, 8));
  return wait + Nanos(static_cast<int64_t>(jitter * 0.1 * static_cast<double>(wait.count())));
}

}  // namespace assay
