#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "stats/gap_store.h"
#include "stats/legs.h"

namespace assay {

/// What the ok calls of a leg say, one number for each call and metric, taken while records pass
/// by: the records themselves need not be kept.
class LegColumns {
 public:
  LegColumns();
  /// For about so many calls; a hint.
  void reserve(size_t calls) { expected_ = calls; }
  void add(const CallRecord& call);
  [[nodiscard]] size_t size() const { return sent_.size(); }

  /// In table order, values in the order the calls were sent; metrics without a value are left out.
  /// Gives its memory back as it goes: call it once.
  std::vector<MetricResult> finish();

 private:
  /// Of one metric, by call; NaN where it has none, empty while no call had one. Rates keep both of
  /// their parts.
  struct Column {
    std::vector<double> values;
    std::vector<double> denominators;
    std::optional<size_t> same_as;  ///< An alias: another metric of the same function.
  };
  void put(std::vector<double>& column, double value) const;
  MetricResult take(size_t index, const std::vector<uint32_t>& order,
                    const std::shared_ptr<const std::vector<int64_t>>& repetitions);
  [[nodiscard]] std::vector<uint32_t> sending_order() const;

  std::vector<Column> columns_;    ///< One for each of metrics().
  std::vector<int64_t> sent_;      ///< INT64_MAX where it is not known.
  std::vector<int64_t> restarts_;  ///< Empty while all calls are of the first load.
  std::vector<int64_t> run_idx_;
  GapStore gaps_;
  int64_t events_ = 0;
  int64_t coalesced_ = 0;
  size_t expected_ = 0;
};

}  // namespace assay
