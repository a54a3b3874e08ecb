#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reports/compare_report.h"
#include "sample_runs.h"

namespace assay::synthetic {

/// A run of `cells` cells whose TTFT and gaps are `factor` times the base's; the seed of the wobble
/// is the leg's number, so that `shift` legs of nothing make another one.
inline ReportModel compared_run(std::string run_id, double factor, int cells = 1,
                                int64_t calls = 12, double wobble = 0.02) {
  Builder b("prompt");
  b.ledger.meta.run_id = std::move(run_id);
  b.ledger.meta.options_json =
      R"({"target":["http://h:1"],"prompt":"sky","repetitions":"12","output":["x.html"]})";
  for (int i = 0; i < cells; ++i) {
    const int64_t cell =
        b.cell(i == 0 ? std::string("gemma-3-1b") : "qwen2.5-" + std::to_string(i));
    b.ledger.meta.cells.back().version = factor == 1 ? "b6120" : "b6341";
    for (const auto& [prompt, ttft] : {std::pair{"sky", 200.0}, std::pair{"coin", 300.0}}) {
      b.add_ok(b.leg(cell, b.prompt(prompt)), calls,
               {.ttft_ms = ttft * factor, .gap_ms = 20 * factor, .cached = 0}, wobble);
    }
  }
  return make_report_model(std::move(b.ledger));
}

/// Runs against the first, compared as the command does.
struct Comparison {
  std::vector<std::unique_ptr<ReportModel>> models;
  std::vector<ComparisonReport> reports;

  explicit Comparison(std::vector<ReportModel> runs, const CompareOptions& options = {}) {
    for (ReportModel& run : runs) models.push_back(std::make_unique<ReportModel>(std::move(run)));
    for (size_t i = 1; i < models.size(); ++i) {
      ComparisonReport r;
      r.base = models[0]->meta;
      r.now = models[i]->meta;
      r.tolerance = options.tolerance;
      r.comparison = compare_runs({&models[0]->meta, &models[0]->legs},
                                  {&models[i]->meta, &models[i]->legs}, options);
      r.base_unreliable = models[0]->unreliable;
      r.new_unreliable = models[i]->unreliable;
      reports.push_back(std::move(r));
    }
  }

  [[nodiscard]] std::string html() const {
    std::vector<const ReportModel*> runs;
    for (const auto& model : models) runs.push_back(model.get());
    return comparison_html(reports, runs);
  }
};

}  // namespace assay::synthetic
