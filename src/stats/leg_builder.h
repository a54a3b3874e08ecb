#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "model/run.h"
#include "stats/legs.h"

namespace assay {

/// Groups records that pass by and need not be kept: some 300 bytes a call stay. One thread.
class LegBuilder {
 public:
  /// `meta` outlives it.
  explicit LegBuilder(const RunMeta& meta);
  ~LegBuilder();
  LegBuilder(const LegBuilder&) = delete;
  LegBuilder& operator=(const LegBuilder&) = delete;

  /// A record, in ledger order; `kept`: its index among those that are kept, absent when it is not.
  void add(const CallRecord& record, std::optional<size_t> kept);
  /// As group_legs() of what was added, marks included. `waits` are left out of throughput. Call it
  /// once.
  RunLegs finish(std::span<const CoolingWait> waits = {});

 private:
  struct Groups;
  std::unique_ptr<Groups> groups_;
};

}  // namespace assay
