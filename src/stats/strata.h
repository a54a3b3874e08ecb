#pragma once

#include <optional>
#include <span>

#include "stats/interval.h"

namespace assay {

/// The figure of one prompt.
struct Stratum {
  double mean = 0;
  std::optional<double> standard_error;  ///< Of `mean`, from the prompt's own calls.
  double degrees = 0;                    ///< Degrees of freedom of `standard_error`.
};

/// An equal-weight mean over prompts. They are fixed strata, not a sample of prompts: how much they
/// differ from one another is no uncertainty.
struct StratifiedMean {
  std::optional<double> mean;  ///< Absent without strata.
  /// mean ± t(df) * sqrt(sum se_i^2) / k, with df = (sum se_i^2)^2 / sum (se_i^4 / df_i) (Welch and
  /// Satterthwaite). Absent when a stratum has no standard error.
  std::optional<Interval> ci95;
  double degrees = 0;
};
StratifiedMean mean_over_strata(std::span<const Stratum> strata);

}  // namespace assay
