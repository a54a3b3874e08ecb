#pragma once

#include <string>
#include <vector>

#include "reports/document.h"
#include "stats/compare.h"
#include "stats/rule_sets.h"
#include "stats/threshold.h"

namespace assay {

/// A threshold and where it was missed.
struct CheckedThreshold {
  Threshold threshold;
  std::vector<Miss> misses;
};

/// A run against the base: what `assay compare` says of a pair.
struct ComparisonReport {
  RunMeta base, now;
  std::string base_name;  ///< `baseline main`, or empty.
  double tolerance = 0;
  RunComparison comparison;
  std::string rule_set;           ///< Empty when none was asked for.
  std::vector<Finding> findings;  ///< Of the rule set.
  std::vector<CheckedThreshold> thresholds;
  std::vector<Caveat> base_unreliable, new_unreliable;
  bool by_prompt = false;  ///< A row for each prompt too.

  /// Exit code 3: a gate metric became worse, or a threshold was missed. Rule sets only advise.
  [[nodiscard]] bool failed() const;
};

Document comparison_document(const ComparisonReport& report);

/// One document, schema `assay.compare/1`.
std::string comparison_json(const std::vector<ComparisonReport>& reports);

}  // namespace assay
