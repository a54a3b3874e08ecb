#pragma once

#include <string>
#include <vector>

#include "cli/named_run.h"
#include "reports/compare_report.h"
#include "store/state.h"

namespace assay {

/// How two runs are to be compared.
struct CompareRequest {
  double tolerance = 0.03;
  std::string rule_set;  ///< `baseline30`, or empty; `trend10` is over several runs.
  std::vector<Threshold> thresholds;
  bool by_prompt = false;
};

/// `now` against `base`, with the noise floors of this machine; the variants of one run where both
/// are the same object.
ComparisonReport compare_loaded(const ReportModel& base, const std::string& base_name,
                                const ReportModel& now, const CompareRequest& request,
                                const State& state);

/// Whether the run's cells are the variants of an interleaved comparison.
bool has_variants(const RunMeta& meta);

}  // namespace assay
