#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stats/legs.h"

namespace assay {

/// Geometric means of a metric's calls, one for each load of the model, in the order of loads.
/// Values have to be positive.
std::vector<double> restart_means(const MetricResult& result);

/// How far identical loads of one model lie apart.
struct IdenticalPairs {
  std::string cell_id;
  std::string_view metric;
  double share = 0;  ///< Root mean square of the pairs' differences, relative: 0.012 is 1.2 %.
  int64_t pairs = 0;
};

/// Takes the loads of a run as A/A pairs, the first with the second and so on. A pair's difference
/// is the mean over prompts of ln(second / first), as a comparison of two such runs would have it,
/// for each metric that comparisons judge. A cell with fewer than 4 loads gives nothing; a metric
/// with fresh and reused prompts gives the larger of the two.
std::vector<IdenticalPairs> noise_floors(std::span<const LegResult> legs);

}  // namespace assay
