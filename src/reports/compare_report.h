#pragma once

#include <string>
#include <vector>

#include "reports/document.h"
#include "reports/report_model.h"
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

/// A cell's figures on both sides, their intervals, the change and the verdict; a row for each
/// prompt too where there are several and `by_prompt` asks.
Table comparison_table(const ComparedCell& cell, bool by_prompt);

Document comparison_document(const ComparisonReport& report);

/// One document, schema `assay.compare/1`.
std::string comparison_json(const std::vector<ComparisonReport>& reports);

/// One self-contained page, as render_html() makes of a run. All reports are against the same base;
/// `runs` are the base's model, then those of the reports in their order.
std::string comparison_html(const std::vector<ComparisonReport>& reports,
                            const std::vector<const ReportModel*>& runs);

}  // namespace assay
