#include "run/complete_record.h"

#include "stats/derive.h"

namespace assay {
namespace {

bool lacks_count(const CallRecord& record) {
  return record.outcome == Outcome::kOk && record.token_source == TokenSource::kNone;
}

}  // namespace

void infer_prefix(const Prompt& prompt, CallRecord& record) {
  if (record.prefix != Prefix::kUnknown || record.outcome != Outcome::kOk) return;
  if (prompt.salt == Prompt::Salt::kNone) return;
  const bool first = prompt.salt == Prompt::Salt::kPerCall || record.run_idx == 0;
  record.prefix = first ? Prefix::kFresh : Prefix::kReused;
  record.flags.emplace_back("prefix_inferred");
}

Task<void> complete_counts(Engine& engine, std::string model, CallResult& result) {
  CallRecord& record = result.record;
  if (!lacks_count(record)) co_return;
  // Reasoning is not kept, so a text without it would be counted short.
  if (record.reasoning_bytes == 0 && !result.text.empty()) {
    const auto counted = co_await engine.count_tokens(std::move(model), result.text);
    if (counted) {
      record.completion_tokens = *counted;
      record.token_source = TokenSource::kTokenize;
    }
  }
  if (lacks_count(record) && engine.estimates_tokens()) {
    record.completion_tokens = record.text_events;
    record.token_source = TokenSource::kEstimate;
    record.flags.emplace_back("estimated_tokens");
  }
  finish_record(record);
}

}  // namespace assay
