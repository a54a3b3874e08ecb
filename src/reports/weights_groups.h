#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/report_model.h"

namespace assay {

/// A setting of each cell of a group, in its order; absent where nobody tells it.
struct GroupSetting {
  std::string_view name;  ///< `context`, `flash attention`, `cache type k`, `threads`, ...
  std::vector<std::optional<std::string>> values;
};

/// Cells of several engines that run the same weights: their files have one digest.
struct WeightsRows {
  std::string digest;
  std::vector<int64_t> cells;            ///< Indices into RunMeta::cells, in the plan's order.
  std::vector<GroupSetting> differs;     ///< Settings that are not the same, or not told, for all.
  std::vector<std::string_view> untold;  ///< Settings that no cell tells.
};

/// Every group of two cells or more that are not the same target; `order` has the cells as they
/// stand in a table. The combinations of one matrix alone are no group.
std::vector<WeightsRows> weights_rows(const RunMeta& meta, const std::vector<int64_t>& order);

/// `same weights 0f3a91c2: threads 2 / 1, context 5120 / 8192; not told: flash attention`.
std::string why_text(const WeightsRows& group);

/// A list of groups with the settings of each cell.
nlohmann::ordered_json weights_json(const RunMeta& meta);

}  // namespace assay
