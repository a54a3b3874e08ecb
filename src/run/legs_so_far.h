#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "model/call_record.h"
#include "stats/derive.h"

namespace assay {

/// What the legs of a run have measured until now, to tell when one is measured well enough.
class LegsSoFar {
 public:
  /// Ok calls of measured and warm legs count; other records change nothing.
  void add(const CallRecord& record);

  /// Whether the leg's decode_tps, or e2e_ms where a call has none, reached the relative half-width
  /// `target` (until_ci()) before all of `planned` calls were made.
  [[nodiscard]] bool narrow(int64_t leg, int64_t planned, double target) const;

 private:
  struct Values {
    std::vector<derive::Ratio> decode;
    std::vector<double> e2e_ms;
  };
  std::map<int64_t, Values> legs_;
};

}  // namespace assay
