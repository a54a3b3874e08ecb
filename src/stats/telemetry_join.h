#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "model/run.h"
#include "stats/energy.h"
#include "stats/energy_shares.h"
#include "stats/legs.h"

namespace assay {

/// From when to when a call was in flight; absent when it was never sent.
std::optional<Span> in_flight(const CallRecord& call);

/// Of the processors' time, taken by other guests of the host: above it a leg is marked `steal`.
inline constexpr double kMostStealPercent = 5;

/// A call that was sent, as far as samples are joined with it: 56 bytes.
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
  /// slowed itself down. Returns the call's place among flights(); absent where it has none.
  std::optional<size_t> add(CallRecord& record);
  /// After the last record. Gives each leg its telemetry and what follows from it: the marks
  /// throttled, steal and clock_fell, and what the machine did while a leg drifted. Nothing where
  /// no machine was sampled.
  void finish(std::vector<LegResult>& legs);
  /// After finish(): all calls of each cell that enter figures, by its place in RunMeta::cells.
  /// Empty where no machine was sampled.
  [[nodiscard]] std::vector<LegTelemetry> of_cells() const;
  /// After finish(): what each call took, by its place among flights(), in the domains that tell.
  [[nodiscard]] std::vector<std::vector<CallEnergy>> of_calls() const;
  /// Calls of sampled machines that were sent, in ledger order.
  [[nodiscard]] const std::vector<Flight>& flights() const { return flights_; }
  [[nodiscard]] std::vector<Flight> take_flights() { return std::exchange(flights_, {}); }

 private:
  /// Of each flight; `groups` has the group of each.
  [[nodiscard]] std::vector<EnergyShare> shares_by(std::span<const int64_t> groups) const;
  [[nodiscard]] const TelemetryStream* machine_of(int64_t cell) const;
  [[nodiscard]] LegTelemetry figures(int64_t cell, std::span<const size_t> own,
                                     std::span<const EnergyShare> shares) const;
  void add_energy(const MachineEnergy& machine, std::span<const size_t> own,
                  std::span<const EnergyShare> shares, LegTelemetry& out) const;
  void add_marks(std::span<const size_t> own, LegResult& leg) const;

  const RunMeta& meta_;
  const HeatBands bands_;
  std::vector<const TelemetryStream*> machines_;  ///< By cell; null: remote.
  std::vector<Flight> flights_;
  std::map<const TelemetryStream*, MachineEnergy> energy_;  ///< Made by finish().
  int64_t first_activity_ns_ = INT64_MAX;                   ///< When the first call was taken up.
  bool sampled_ = false;
};

}  // namespace assay
