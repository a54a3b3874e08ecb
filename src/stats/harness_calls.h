#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "model/call_record.h"

namespace assay {

/// Source 004's figures of one kind of calls. Calls with an error are counted and in no figure.
struct HarnessBatch {
  std::string cell_id;
  std::string prompt_id;  ///< Empty for skipped calls.
  Phase phase = Phase::kWarm;
  bool parallel = false;  ///< Several calls at a time.
  int64_t n = 0;
  int64_t errors = 0;
  std::string skipped;  ///< Why the first of them was; only where `phase` is kSkipped.
  std::vector<double> first_delta;
  std::vector<double> total;
  std::vector<double> completion_tokens;
  std::vector<double> tokens_per_sec;

  void add(const CallRecord& call);
  void add(const HarnessBatch& other);
};

/// What source 004's tables and the rule sets ask of a run, taken while its records pass by: 32
/// bytes a call.
class HarnessCalls {
 public:
  HarnessCalls() = default;
  explicit HarnessCalls(std::span<const CallRecord> calls);
  /// Every record, in ledger order. Warm-up calls and those that are not final are left out.
  void add(const CallRecord& call);

  /// In the order in which each kind came first. Skipped calls of a cell are one kind.
  [[nodiscard]] std::span<const HarnessBatch> batches() const { return batches_; }
  /// Whether the run has warm calls: where it has, measured ones are none.
  [[nodiscard]] bool has_warm() const { return has_warm_; }
  /// The mean tokens per second of a cell's calls; absent where none has it.
  [[nodiscard]] std::optional<double> mean_speed(const std::string& cell_id) const;

 private:
  HarnessBatch& batch_of(const CallRecord& call);

  std::vector<HarnessBatch> batches_;
  std::map<std::tuple<std::string, std::string, Phase, bool>, size_t> places_;
  std::map<std::string, std::pair<double, int64_t>> speeds_;  ///< Sum and number, by cell.
  bool has_warm_ = false;
};

}  // namespace assay
