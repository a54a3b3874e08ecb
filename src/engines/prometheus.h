#pragma once

#include <optional>
#include <string_view>

namespace assay {

/// The sum of a metric over its labels in a text of Prometheus's exposition format; absent when it
/// does not occur.
std::optional<double> metric_sum(std::string_view text, std::string_view name);

}  // namespace assay
