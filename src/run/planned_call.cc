#include "run/planned_call.h"

#include <algorithm>

#include "run/synthetic.h"

namespace assay {

namespace {

/// Whether its engine runs with less than was asked for.
bool is_fall_back(const Cell& cell) {
  return cell.load_effective && std::any_of(cell.load_attempts.begin(), cell.load_attempts.end(),
                                            [](const LoadAttempt& a) {
                                              return a.outcome == LoadOutcome::kGpuOom ||
                                                     a.outcome == LoadOutcome::kOomKilled;
                                            });
}

}  // namespace

CallRecord planned_record(const RunMeta& meta, int64_t index) {
  const PlannedCall& call = meta.calls[static_cast<size_t>(index)];
  const Leg& leg = meta.legs[static_cast<size_t>(call.leg)];
  CallRecord record;
  record.run_id = meta.run_id;
  record.index = index;
  record.leg = call.leg;
  record.run_idx = call.run_idx;
  record.restart = call.restart;
  record.phase = leg.phase;
  record.concurrency = leg.concurrency;
  record.settings_hash = leg.settings_hash;
  const Cell& cell = meta.cells[static_cast<size_t>(leg.cell)];
  record.cell_id = cell.id;
  record.backend = cell.kind;
  if (is_fall_back(cell)) {
    const bool on_processor = cell.load_effective && cell.load_effective->gpu_hidden;
    record.flags.emplace_back(on_processor ? "fallback_cpu" : "fallback_offload");
  }
  if (leg.prompt >= 0) {
    const Prompt& prompt = meta.prompts[static_cast<size_t>(leg.prompt)];
    record.prompt_id = prompt.id;
    record.prompt_sha256 = prompt.sha256;
  }
  return record;
}

namespace {

/// The text of a call's prompt; `own` is what sets it apart from the other calls of its leg.
std::string salted_text(const RunMeta& meta, int64_t index, uint64_t own) {
  const PlannedCall& call = meta.calls[static_cast<size_t>(index)];
  const Leg& leg = meta.legs[static_cast<size_t>(call.leg)];
  const Prompt& prompt = meta.prompts[static_cast<size_t>(leg.prompt)];
  const uint64_t run_seed =
      meta.seed * 0x9e3779b97f4a7c15U + static_cast<uint64_t>(meta.started_wall_ns);
  const uint64_t leg_seed = run_seed + (static_cast<uint64_t>(call.leg) << 32);
  if (prompt.salt == Prompt::Salt::kNone) return prompt.text;
  if (prompt.salt == Prompt::Salt::kPerLeg) return salt_line(leg_seed) + prompt.text;
  return salt_line(leg_seed + own) + prompt.text;
}

}  // namespace

std::string prompt_text(const RunMeta& meta, int64_t index) {
  return salted_text(meta, index, static_cast<uint64_t>(index) + 1);
}

std::string warming_text(const RunMeta& meta, int64_t index, int64_t nth) {
  // Behind those of all planned calls.
  return salted_text(meta, index,
                     static_cast<uint64_t>(meta.calls.size()) + 1 + static_cast<uint64_t>(nth));
}

std::optional<CallTags> tags_of(const CallRecord& record, const RunMeta& meta,
                                const RunSpec& spec) {
  if (spec.tag_prefix.empty()) return std::nullopt;
  return CallTags{spec.tag_prefix, record.run_id,  record.cell_id,      record.prompt_id,
                  record.phase,    record.run_idx, meta.harness_version};
}

bool keeps_text(const CallRecord& record, const RunSpec& spec) {
  if (record.error_code == "engine_died") return true;
  if (spec.save_responses == "all") return true;
  if (spec.save_responses == "none") return false;
  const int64_t every = std::stoll(spec.save_responses.substr(7));
  return record.index % every == 0;
}

void name_backend(const Cell& cell, CallRecord& record) {
  if (!cell.routed_from.empty() && record.backend == cell.kind) record.backend = "brain-routed";
}

}  // namespace assay
