#include "stats/cold.h"

#include "stats/derive.h"

namespace assay {
namespace {

double ms_between(int64_t from, int64_t to) { return static_cast<double>(to - from) / 1e6; }

std::optional<double> part(const CallRecord& record, double ColdSplit::*member) {
  const auto split = cold_split(record);
  return split ? std::optional((*split).*member) : std::nullopt;
}

}  // namespace

std::optional<ColdSplit> cold_split(const CallRecord& record) {
  const Instants& at = record.at;
  const bool whole = at.unload_start && at.unload_end && at.pause_end && at.sent && at.first_text &&
                     at.last_text && at.done;
  const auto load = derive::load_ms(record);
  if (record.phase != Phase::kCold || !whole || !load) return std::nullopt;
  const bool before_call = at.load_end && *at.load_end <= *at.sent;
  ColdSplit split;
  split.unload_ms = ms_between(*at.unload_start, *at.unload_end);
  split.load_ms = *load;
  split.prefill_ms = ms_between(*at.sent, *at.first_text) - (before_call ? 0 : *load);
  if (split.prefill_ms < 0) return std::nullopt;
  split.decode_ms = ms_between(*at.first_text, *at.last_text);
  split.wall_ms =
      ms_between(*at.unload_start, *at.done) - ms_between(*at.unload_end, *at.pause_end);
  split.other_ms =
      split.wall_ms - split.unload_ms - split.load_ms - split.prefill_ms - split.decode_ms;
  return split;
}

namespace derive {

std::optional<double> unload_ms(const CallRecord& r) { return part(r, &ColdSplit::unload_ms); }
std::optional<double> cold_load_ms(const CallRecord& r) { return part(r, &ColdSplit::load_ms); }
std::optional<double> cold_prefill_ms(const CallRecord& r) {
  return part(r, &ColdSplit::prefill_ms);
}
std::optional<double> cold_decode_ms(const CallRecord& r) { return part(r, &ColdSplit::decode_ms); }
std::optional<double> cold_other_ms(const CallRecord& r) { return part(r, &ColdSplit::other_ms); }
std::optional<double> cold_wall_ms(const CallRecord& r) { return part(r, &ColdSplit::wall_ms); }

std::optional<double> page_cache_percent(const CallRecord& r) {
  return r.page_cache_share ? std::optional(100 * *r.page_cache_share) : std::nullopt;
}

std::optional<double> read_megabytes(const CallRecord& r) {
  return r.read_bytes ? std::optional(static_cast<double>(*r.read_bytes) / 1e6) : std::nullopt;
}

}  // namespace derive
}  // namespace assay
