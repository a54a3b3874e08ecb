#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace assay {

/// Durations in buckets of 1/64 relative width: 0 to centuries, no allocation.
class LatenessHistogram {
 public:
  void add(Nanos value);
  [[nodiscard]] int64_t count() const { return count_; }
  [[nodiscard]] Nanos max() const { return max_; }
  /// Lower edge of the bucket that holds the share `p` of the values; 0 when empty.
  [[nodiscard]] Nanos quantile(double p) const;

 private:
  std::array<uint32_t, 64 * 64> buckets_{};
  int64_t count_ = 0;
  Nanos max_{};
};

/// What `GET /stats` answers. Lives on the server's thread.
struct MockStats {
  int64_t requests = 0;
  std::map<std::string, int64_t, std::less<>> by_path;
  /// Generation requests that got past refusals, and all of them.
  std::map<std::string, int64_t, std::less<>> by_model, attempts;
  int64_t active = 0;  ///< Answers that hold a slot.
  int64_t active_max = 0;
  int64_t queued = 0;  ///< Requests that wait for a slot.
  int64_t open_streams = 0;
  int64_t prompt_tokens = 0;  ///< Of answers that were begun; cached ones are not among them.
  int64_t cached_tokens = 0;  ///< Those that were.
  int64_t output_tokens = 0;  ///< Of the same.
  int64_t events_sent = 0;
  int64_t writes = 0;
  int64_t client_gone = 0;        ///< Answers that the client did not wait for.
  int64_t reset_connections = 0;  ///< On the second port.
  /// First send() of a write minus the instant it was due.
  LatenessHistogram lateness;

  void count_request(std::string_view path);
  /// The how-many-th request of the model this is.
  int64_t count_attempt(const std::string& model);
  [[nodiscard]] std::string json() const;
  /// Everything but what is going on right now.
  void reset();
};

}  // namespace assay
