#pragma once

#include <optional>

#include "model/call_record.h"

namespace assay {

/// Where the time of a cold call went, from the request to unload to the last event of the answer.
/// The planned pause after unloading is no part of it. Milliseconds; the five parts sum to the
/// wall.
struct ColdSplit {
  double unload_ms = 0;
  double load_ms = 0;
  double prefill_ms = 0;  ///< TTFT, less a load within the call; page faults of a mapped file too.
  double decode_ms = 0;   ///< From the first text to the last.
  double other_ms = 0;    ///< Between the others: connecting, the end of the stream.
  double wall_ms = 0;
};

/// Absent for calls that were not cold, that have no text, or whose engine says nothing of its load
/// or contradicts itself: a load longer than the wait for the first text.
std::optional<ColdSplit> cold_split(const CallRecord& record);

namespace derive {
// The parts as metrics; `load_ms` is one already.
std::optional<double> unload_ms(const CallRecord& record);
std::optional<double> cold_prefill_ms(const CallRecord& record);
std::optional<double> cold_decode_ms(const CallRecord& record);
std::optional<double> cold_other_ms(const CallRecord& record);
std::optional<double> cold_wall_ms(const CallRecord& record);
std::optional<double> cold_load_ms(const CallRecord& record);
std::optional<double> page_cache_percent(const CallRecord& record);
std::optional<double> read_megabytes(const CallRecord& record);
}  // namespace derive

}  // namespace assay
