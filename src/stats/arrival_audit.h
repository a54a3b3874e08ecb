#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/call_record.h"

namespace assay {

/// How the calls of an open loop really came, against what was asked for. A Poisson process has
/// gaps of coefficient of variation 1 and an index of dispersion of 1; evenly spaced calls have 0
/// and 0; both are without correlation from gap to gap.
struct ArrivalAudit {
  int64_t calls = 0;                 ///< Sent.
  double rate = 0;                   ///< Calls a second, over the time from the first to the last.
  double variation = 0;              ///< Standard deviation over mean of the gaps between sendings.
  std::optional<double> dispersion;  ///< Variance over mean of the calls a window; absent below
                                     ///< kMinWindows windows.
  std::optional<double> lag1;  ///< Correlation of successive gaps; absent where gaps are equal.
  double late_p99_ms = 0;      ///< Sent minus due.
  int64_t late = 0;            ///< Sent more than kLateMs after it was due.
  int64_t dropped = 0;         ///< Due, and never sent.
};
inline constexpr double kLateMs = 2;
inline constexpr int64_t kMinWindows = 10;
inline constexpr int64_t kMinForAudit = 10;

/// When the calls of an open loop came, taken while their records pass by: 16 bytes a call.
class ArrivalLog {
 public:
  /// A call without a due time is left out.
  void add(const CallRecord& call);
  /// Windows are of eight mean gaps each. Absent below kMinForAudit sent calls.
  [[nodiscard]] std::optional<ArrivalAudit> audit() const;

 private:
  std::vector<double> sent_s_;
  std::vector<double> late_ms_;
  int64_t dropped_ = 0;
};

}  // namespace assay
