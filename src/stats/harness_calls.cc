#include "stats/harness_calls.h"

namespace assay {
namespace {

bool is_skipped(const CallRecord& call) {
  return call.phase == Phase::kSkipped || call.outcome == Outcome::kSkipped;
}

template <class T>
void keep(const std::optional<T>& value, std::vector<double>& into) {
  if (value) into.push_back(static_cast<double>(*value));
}

void append(const std::vector<double>& values, std::vector<double>& into) {
  into.insert(into.end(), values.begin(), values.end());
}

}  // namespace

void HarnessBatch::add(const CallRecord& call) {
  ++n;
  if (call.error) {
    ++errors;
    return;
  }
  keep(call.first_delta_ms, first_delta);
  keep(call.total_duration_ms, total);
  keep(call.completion_tokens, completion_tokens);
  keep(call.tokens_per_sec, tokens_per_sec);
}

void HarnessBatch::add(const HarnessBatch& other) {
  n += other.n;
  errors += other.errors;
  append(other.first_delta, first_delta);
  append(other.total, total);
  append(other.completion_tokens, completion_tokens);
  append(other.tokens_per_sec, tokens_per_sec);
}

HarnessCalls::HarnessCalls(std::span<const CallRecord> calls) {
  for (const CallRecord& call : calls) add(call);
}

HarnessBatch& HarnessCalls::batch_of(const CallRecord& call) {
  const bool skipped = is_skipped(call);
  const auto [place, is_new] =
      places_.try_emplace({call.cell_id, skipped ? std::string() : call.prompt_id,
                           skipped ? Phase::kSkipped : call.phase, call.concurrency > 1},
                          batches_.size());
  if (is_new) {
    HarnessBatch batch;
    std::tie(batch.cell_id, batch.prompt_id, batch.phase, batch.parallel) = place->first;
    if (skipped) batch.skipped = call.error.value_or("skipped");
    batches_.push_back(std::move(batch));
  }
  return batches_[place->second];
}

void HarnessCalls::add(const CallRecord& call) {
  has_warm_ |= call.phase == Phase::kWarm;
  if (call.phase == Phase::kWarmup) return;
  if (call.tokens_per_sec) {
    auto& [sum, n] = speeds_[call.cell_id];
    sum += *call.tokens_per_sec;
    ++n;
  }
  if (!call.final) return;
  HarnessBatch& batch = batch_of(call);
  if (is_skipped(call)) {
    ++batch.n;
  } else {
    batch.add(call);
  }
}

std::optional<double> HarnessCalls::mean_speed(const std::string& cell_id) const {
  const auto found = speeds_.find(cell_id);
  if (found == speeds_.end()) return std::nullopt;
  const auto& [sum, n] = found->second;
  return sum / static_cast<double>(n);
}

}  // namespace assay
