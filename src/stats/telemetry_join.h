#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/run.h"
#include "stats/energy.h"
#include "stats/legs.h"

namespace assay {

/// From when to when a call was in flight; absent when it was never sent.
std::optional<Span> in_flight(const CallRecord& call);

/// A call that was sent, as far as samples are joined with it: 48 bytes.
struct Flight {
  Span span;
  int64_t leg = -1;  ///< Index into RunMeta::legs; -1: of no figure, such as a warm-up call.
  int64_t cell = 0;  ///< Index into RunMeta::cells.
  std::optional<int64_t> tokens;
  Prefix prefix = Prefix::kUnknown;
  bool ok = false;
};

/// The samples of a run's machines and the calls that they are joined with, while records pass by.
/// One thread.
class TelemetryJoin {
 public:
  /// `meta` and `streams` outlive it.
  TelemetryJoin(const RunMeta& meta, std::span<const TelemetryStream> streams);

  /// Every record, in ledger order. Adds the flag `throttled` to a call during which its machine
  /// slowed itself down.
  void add(CallRecord& record);
  /// Gives each leg its telemetry and the marks that follow from it: throttled, clock_fell. Nothing
  /// where no machine was sampled.
  void finish(std::vector<LegResult>& legs) const;
  /// All calls of a cell that enter figures.
  [[nodiscard]] std::optional<LegTelemetry> of_cell(int64_t cell) const;

 private:
  [[nodiscard]] LegTelemetry figures(int64_t cell, std::span<const size_t> own) const;
  void add_marks(int64_t cell, std::span<const size_t> own, LegResult& leg) const;

  const RunMeta& meta_;
  std::vector<const TelemetryStream*> machines_;  ///< By cell; null: remote.
  std::vector<Flight> flights_;
  int64_t first_activity_ns_ = INT64_MAX;  ///< When the first call was taken up.
  bool sampled_ = false;
};

}  // namespace assay
