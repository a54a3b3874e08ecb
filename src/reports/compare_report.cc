#include "reports/compare_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "reports/compare_words.h"
#include "reports/tables.h"

namespace assay {
namespace {

constexpr size_t kMaxSame = 8;

constexpr std::string_view kAboutFigures =
    "Geometric mean over calls, prompts weighing alike; beside it the 95 % interval of that side "
    "alone. Two sides are told apart by the change's interval, not by these. With !: a leg of that "
    "side is marked, such as throttled; its run is unreliable and says so above.";
constexpr std::string_view kAboutChange =
    "new / base - 1, within each prompt and then over prompts, with its 95 % interval.";
constexpr std::string_view kAboutVerdict =
    "same: the whole interval lies within the tolerance. better, worse: it excludes 0 and the "
    "change is beyond the tolerance and twice the noise floor. unclear: neither.";

TableCell metric_cell(const ComparedMetric& row) {
  TableCell cell = row_label(row);
  cell.metric = row.metric->name;
  return cell;
}

/// `!` behind a figure whose legs carry a mark, as in a run's tables.
std::string marked(std::string figure, const std::vector<std::string>& marks) {
  return marks.empty() ? figure : figure + "!";
}

std::vector<TableCell> row_of(const ComparedMetric& row) {
  return {metric_cell(row),
          std::string(row.metric->unit),
          marked(metric_text(*row.metric, row.base), row.base_marks),
          range_text(*row.metric, row.base_ci95),
          marked(metric_text(*row.metric, row.now), row.new_marks),
          range_text(*row.metric, row.now_ci95),
          percent_text(row.now / row.base - 1),
          change_interval_text(row.difference),
          std::string(verdict_text(row))};
}

std::optional<Interval> interval_of(const std::optional<LogMean>& mean) {
  return mean ? std::optional(mean->ci95()) : std::nullopt;
}

std::vector<TableCell> prompt_row(const ComparedMetric& row, const ComparedStratum& stratum) {
  const bool judged = stratum.difference.base_n > 0;
  return {"  " + stratum.prompt_id,
          "",
          metric_text(*row.metric, stratum.base),
          range_text(*row.metric, interval_of(stratum.base_mean)),
          metric_text(*row.metric, stratum.now),
          range_text(*row.metric, interval_of(stratum.now_mean)),
          percent_text(stratum.now / stratum.base - 1),
          change_interval_text(judged ? std::optional(stratum.difference) : std::nullopt),
          ""};
}

std::string title_of(const ComparisonReport& r) {
  if (of_one_run(r)) {
    return fmt::format("{}: variants against the first, {} · tolerance {:g} %", new_label(r),
                       r.base.cells.front().variant, r.tolerance * 100);
  }
  return fmt::format("{} against {} · tolerance {:g} %", new_label(r), base_label(r),
                     r.tolerance * 100);
}

std::vector<std::string> facts_of(const ComparisonReport& r) {
  std::vector<std::string> facts;
  if (!r.comparison.same.empty()) facts.push_back("same: " + some_of(r.comparison.same, kMaxSame));
  facts.push_back(differs_text(r));
  facts.emplace_back("figures are geometric means over calls, prompts weighing alike");
  return facts;
}

void add_regressions(const RunComparison& comparison, Document& document) {
  for (const ComparedCell& cell : comparison.cells) {
    for (const ComparedMetric& row : cell.metrics) {
      if (!is_regression(row)) continue;
      document.failures.push_back(fmt::format("{}: {} became worse by {}", cell.new_id,
                                              row_label(row),
                                              percent_text(row.now / row.base - 1)));
    }
  }
}

void add_scope(const ComparedCell& cell, Document& document) {
  if (std::string text = detectable_text(cell); !text.empty()) {
    document.notes.push_back(std::move(text));
  }
  if (std::string text = scope_text(cell); !text.empty()) {
    document.warnings.push_back(std::move(text));
  }
}

void add_findings(const ComparisonReport& r, Document& document) {
  if (r.rule_set.empty()) return;
  int64_t stable = 0;
  for (const Finding& f : r.findings) {
    if (f.kind == Finding::Kind::kStable) {
      ++stable;
      continue;
    }
    document.warnings.push_back(fmt::format("{}: {}: {}{}{} {}: {}", r.rule_set, to_text(f.kind),
                                            f.cell_id, f.prompt_id.empty() ? "" : " ", f.prompt_id,
                                            f.metric, f.detail));
  }
  document.notes.push_back(
      fmt::format("{}: {} stable, of {}; it only advises", r.rule_set, stable, r.findings.size()));
}

void add_thresholds(const ComparisonReport& r, Document& document) {
  for (const CheckedThreshold& checked : r.thresholds) {
    for (const Miss& miss : checked.misses) {
      document.failures.push_back(fmt::format(
          "threshold {} missed: {} {} is {}", checked.threshold.text, miss.cell_id, miss.prompt_id,
          miss.value ? fmt::format("{:.4g}", *miss.value) : "without such a figure"));
    }
    if (checked.misses.empty()) {
      document.notes.push_back(fmt::format("threshold {} kept", checked.threshold.text));
    }
  }
}

}  // namespace

bool ComparisonReport::failed() const {
  return comparison.regressed() ||
         std::any_of(thresholds.begin(), thresholds.end(),
                     [](const CheckedThreshold& checked) { return !checked.misses.empty(); });
}

Table comparison_table(const ComparedCell& cell, bool by_prompt) {
  Table table;
  table.columns = {{"Metric", "", Align::kLeft},
                   {"", "", Align::kLeft},
                   {"base", "", Align::kRight, 0, 0, kAboutFigures},
                   {"base", "95 % int.", Align::kRight, 2},
                   {"new", "", Align::kRight, 0, 0, kAboutFigures},
                   {"new", "95 % int.", Align::kRight, 2},
                   {"change", "", Align::kRight, 0, 0, kAboutChange},
                   {"95 % int.", "%"},
                   {"verdict", "", Align::kLeft, 0, 0, kAboutVerdict}};
  for (const ComparedMetric& row : cell.metrics) {
    table.rows.push_back(row_of(row));
    if (!by_prompt || row.strata.size() < 2) continue;
    for (const ComparedStratum& stratum : row.strata) {
      table.rows.push_back(prompt_row(row, stratum));
    }
  }
  table.rows.push_back({"Success rate", "", rate_text(cell.base_success), "",
                        rate_text(cell.new_success), "", "", "", ""});
  return table;
}

Document comparison_document(const ComparisonReport& r) {
  Document document;
  document.title = title_of(r);
  document.facts = facts_of(r);
  for (const ComparedCell& cell : r.comparison.cells) {
    const std::string name = cell.new_id.empty() ? cell.base_id : cell.new_id;
    if (r.comparison.cells.size() > 1) document.blocks.emplace_back(Heading{name});
    if (!cell.not_comparable.empty()) {
      document.warnings.push_back(fmt::format("not comparable: {}: {}", name, cell.not_comparable));
      continue;
    }
    document.blocks.emplace_back(comparison_table(cell, r.by_prompt));
    for (const std::string& warning : cell.warnings) document.warnings.push_back(warning);
    add_scope(cell, document);
  }
  std::sort(document.warnings.begin(), document.warnings.end());
  document.warnings.erase(std::unique(document.warnings.begin(), document.warnings.end()),
                          document.warnings.end());
  document.measurement = counts_text(r.comparison);
  document.measurement_ok = !r.failed();
  for (const Caveat& caveat : r.base_unreliable) {
    document.unreliable.push_back(fmt::format("base: {}: {}", caveat.code, caveat.detail));
  }
  for (const Caveat& caveat : r.new_unreliable) {
    document.unreliable.push_back(fmt::format("new: {}: {}", caveat.code, caveat.detail));
  }
  if (r.comparison.empty()) document.failures.emplace_back("nothing could be compared");
  add_regressions(r.comparison, document);
  add_findings(r, document);
  add_thresholds(r, document);
  return document;
}

}  // namespace assay
