#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "reports/compare_report.h"
#include "reports/findings.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
Json number(const std::optional<double>& value) { return value ? number(*value) : Json(nullptr); }

Json interval(const std::optional<Interval>& value) {
  return value ? Json::array({number(value->low), number(value->high)}) : Json(nullptr);
}

Json difference_json(const std::optional<Difference>& d) {
  if (!d) return nullptr;
  const Interval ci = d->ci95();
  return {{"change", number(d->change())}, {"ci95", {number(ci.low), number(ci.high)}},
          {"p", number(d->p_value())},     {"df", number(d->df)},
          {"base_n", d->base_n},           {"new_n", d->new_n}};
}

Json metric_json(const ComparedMetric& row) {
  Json prompts = Json::array();
  for (const ComparedStratum& s : row.strata) {
    const bool judged = s.difference.base_n > 0;
    prompts.push_back(
        {{"prompt_id", printable(s.prompt_id)},
         {"base", number(s.base)},
         {"new", number(s.now)},
         {"difference", difference_json(judged ? std::optional(s.difference) : std::nullopt)}});
  }
  return {{"metric", row.metric->name},
          {"unit", row.metric->unit},
          {"prefix", row.prefix ? Json(to_text(*row.prefix)) : Json(nullptr)},
          {"concurrency", row.concurrency},
          {"gate", row.gate},
          {"base", number(row.base)},
          {"new", number(row.now)},
          {"base_ci95", interval(row.base_ci95)},
          {"new_ci95", interval(row.now_ci95)},
          {"difference", difference_json(row.difference)},
          {"verdict", to_text(row.verdict)},
          {"base_marks", row.base_marks},
          {"new_marks", row.new_marks},
          {"more_repetitions", row.more ? Json(*row.more) : Json(nullptr)},
          {"detectable_change", row.difference ? number(row.detectable) : Json(nullptr)},
          {"noise_floor", number(row.noise_floor)},
          {"holm_p", number(row.holm_p)},
          {"prompts", std::move(prompts)}};
}

Json cell_json(const ComparedCell& cell) {
  Json metrics = Json::array();
  for (const ComparedMetric& row : cell.metrics) metrics.push_back(metric_json(row));
  Json warnings = Json::array();
  for (const std::string& warning : cell.warnings) warnings.push_back(printable(warning, 400));
  const auto id = [](const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(printable(text));
  };
  return {{"base_cell_id", id(cell.base_id)},
          {"new_cell_id", id(cell.new_id)},
          {"not_comparable", id(cell.not_comparable)},
          {"unit", cell.by_restart ? "restart" : "call"},
          {"base_success_rate", number(cell.base_success.share())},
          {"new_success_rate", number(cell.new_success.share())},
          {"metrics", std::move(metrics)},
          {"warnings", std::move(warnings)}};
}

Json report_json(const ComparisonReport& r) {
  Json differs = Json::array();
  for (const SettingChange& change : r.comparison.differs) {
    differs.push_back(
        {{"name", change.name}, {"base", printable(change.base)}, {"new", printable(change.now)}});
  }
  Json cells = Json::array();
  for (const ComparedCell& cell : r.comparison.cells) cells.push_back(cell_json(cell));
  Json findings = Json::array();
  for (const Finding& finding : r.findings) findings.push_back(finding_document(finding));
  Json thresholds = Json::array();
  for (const CheckedThreshold& checked : r.thresholds) {
    Json misses = Json::array();
    for (const Miss& miss : checked.misses) {
      misses.push_back({{"cell_id", printable(miss.cell_id)},
                        {"prompt_id", printable(miss.prompt_id)},
                        {"value", number(miss.value)}});
    }
    thresholds.push_back({{"threshold", checked.threshold.text},
                          {"ok", checked.misses.empty()},
                          {"misses", std::move(misses)}});
  }
  return {{"base_run_id", r.base.run_id},
          {"new_run_id", r.now.run_id},
          {"tolerance", r.tolerance},
          {"regressed", r.comparison.regressed()},
          {"empty", r.comparison.empty()},
          {"failed", r.failed()},
          {"same", r.comparison.same},
          {"differs", std::move(differs)},
          {"cells", std::move(cells)},
          {"rule_set", r.rule_set.empty() ? Json(nullptr) : Json(r.rule_set)},
          {"findings", std::move(findings)},
          {"thresholds", std::move(thresholds)}};
}

}  // namespace

std::string comparison_json(const std::vector<ComparisonReport>& reports) {
  Json list = Json::array();
  for (const ComparisonReport& report : reports) list.push_back(report_json(report));
  const Json document{{"schema", "assay.compare/1"}, {"comparisons", std::move(list)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace assay
