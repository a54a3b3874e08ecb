#include "run/legs_so_far.h"

#include <span>

#include "stats/until_ci.h"

namespace assay {

void LegsSoFar::add(const CallRecord& record) {
  const bool counts = record.phase == Phase::kMeasure || record.phase == Phase::kWarm;
  if (!counts || record.outcome != Outcome::kOk) return;
  Values& values = legs_[record.leg];
  if (const auto parts = derive::decode_parts(record)) values.decode.push_back(*parts);
  if (const auto e2e = derive::e2e_ms(record)) values.e2e_ms.push_back(*e2e);
}

bool LegsSoFar::narrow(int64_t leg, int64_t planned, double target) const {
  const auto found = legs_.find(leg);
  if (found == legs_.end()) return false;
  const Values& values = found->second;
  const bool decodes = values.decode.size() == values.e2e_ms.size();
  const auto summary_of_first = [&](int64_t count) {
    const auto first = static_cast<size_t>(count);
    return decodes ? summarise_ratio(std::span(values.decode).first(first))
                   : summarise(std::span(values.e2e_ms).first(first), Scale::kLog);
  };
  const auto n = static_cast<int64_t>(values.e2e_ms.size());
  return until_ci(n, summary_of_first, target, planned) == UntilCi::kReached;
}

}  // namespace assay
