#include "run/due_times.h"

#include "load/arrivals.h"

namespace assay {

DueTimes due_times(const RunMeta& meta, int64_t begin, int64_t end, const std::set<int64_t>& done,
                   MonoNs start) {
  const PlannedCall& first = meta.calls[static_cast<size_t>(begin)];
  const Leg& leg = meta.legs[static_cast<size_t>(first.leg)];
  const auto schedule = arrival_times(end - begin, *leg.request_rate, leg.arrivals,
                                      meta.seed + static_cast<uint64_t>(begin));
  DueTimes due;
  int64_t index = begin;
  for (const int64_t offset : schedule) {
    due.by_call[index] = start + offset;
    if (!done.contains(index)) due.left.push_back(start + offset);
    ++index;
  }
  return due;
}

}  // namespace assay
