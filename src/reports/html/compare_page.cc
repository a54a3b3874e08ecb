#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "reports/compare_words.h"
#include "reports/html/compare_parts.h"
#include "reports/html/shell.h"
#include "reports/html/text.h"

namespace assay {
namespace {

std::string title_of(const Reports& reports) {
  if (reports.size() == 1) return comparison_document(reports.front()).title;
  return fmt::format("{} runs against {} · tolerance {:g} %", reports.size(),
                     base_label(reports.front()), reports.front().tolerance * 100);
}

/// `2 cells: 1 better, 1 worse.`
std::string cells_text(const ComparisonReport& report) {
  const auto& cells = report.comparison.cells;
  std::vector<std::string> parts;
  for (const auto& [verdict, name] : EnumText<CellVerdict>::kNames) {
    const auto found = std::count_if(cells.begin(), cells.end(), [v = verdict](const auto& cell) {
      return cell_verdict(cell) == v;
    });
    if (found > 0) parts.push_back(fmt::format("{} {}", found, name));
  }
  return fmt::format("{} cells: {}.", cells.size(), join(parts, ", "));
}

/// A comparison's cells in sentences.
std::string sentences_html(const ComparisonReport& report) {
  std::string out = "<ul>\n";
  for (const ComparedCell& cell : report.comparison.cells) {
    out += fmt::format("<li><strong>{}</strong> {}</li>\n", html_text(cell_claim(report, cell)),
                       html_text(cell_reasons(cell)));
  }
  return out + "</ul>\n";
}

std::string answer_html(const Reports& reports) {
  std::string out;
  for (const ComparisonReport& report : reports) {
    if (report.comparison.cells.size() == 1) {
      const ComparedCell& cell = report.comparison.cells.front();
      const std::string reasons = cell_reasons(cell);
      const std::string of = reports.size() > 1 ? new_label(report) + ", " : "";
      out += fmt::format("<p>{}</p>\n{}", html_text(of + cell_claim(report, cell)),
                         reasons.empty() ? "" : fmt::format("<p>{}</p>\n", html_text(reasons)));
      continue;
    }
    out += fmt::format("<p>{} against {}: {}</p>\n{}", html_text(new_label(report)),
                       html_text(base_label(report)), html_text(cells_text(report)),
                       sentences_html(report));
  }
  return out;
}

std::string unreliable_html(const Reports& reports) {
  std::string items;
  std::set<std::string> said;
  const auto add = [&](const std::string& run, const std::vector<Caveat>& caveats) {
    for (const Caveat& caveat : caveats) {
      std::string item = fmt::format("<li>{}: {}: {}</li>\n", html_text(run),
                                     html_text(caveat.code), html_text(caveat.detail));
      if (said.insert(item).second) items += item;
    }
  };
  for (const ComparisonReport& report : reports) {
    add("base " + base_label(report), report.base_unreliable);
    add("new " + new_label(report), report.new_unreliable);
  }
  if (items.empty()) return {};
  return fmt::format(
      "<div class=\"warn\" role=\"note\"><h2>Unreliable: read the figures with care</h2>\n<ul>\n"
      "{}</ul></div>\n",
      items);
}

std::string head_html(const Reports& reports) {
  std::string facts;
  for (const ComparisonReport& report : reports) {
    const std::string of = reports.size() > 1 ? new_label(report) + " " : "";
    facts += fmt::format("<li>{}</li>\n", html_text(of + differs_text(report)));
  }
  std::string out = fmt::format(
      "<header>\n<p class=\"eyebrow\">Assay, comparison of runs</p>\n<h1>{}</h1>\n"
      "<ul class=\"plain\">\n{}</ul>\n<div class=\"answer\">\n{}</div>\n",
      html_text(title_of(reports)), facts, answer_html(reports));
  for (const ComparisonReport& report : reports) {
    const std::string name = reports.size() > 1 ? new_label(report) + ": " : "";
    out += fmt::format("<p class=\"verdict {}\">{}</p>\n",
                       report.failed() || report.comparison.empty() ? "no" : "ok",
                       html_text(name + counts_text(report.comparison)));
  }
  return out + unreliable_html(reports) + "</header>\n";
}

/// What failed, what the rule sets say, thresholds: as the other renderers have it.
std::string findings_html(const Reports& reports) {
  std::vector<std::string> failures;
  std::vector<std::string> rules;
  for (const ComparisonReport& report : reports) {
    const Document document = comparison_document(report);
    const std::string name = reports.size() > 1 ? new_label(report) + ": " : "";
    for (const std::string& failure : document.failures) failures.push_back(name + failure);
    if (report.rule_set.empty() && report.thresholds.empty()) continue;
    for (const auto* list : {&document.warnings, &document.notes}) {
      for (const std::string& line : *list) {
        const bool rule = !report.rule_set.empty() && line.starts_with(report.rule_set);
        if (rule || line.starts_with("threshold")) rules.push_back(name + line);
      }
    }
  }
  return list_html("Failed", failures) + list_html("Rules and thresholds", rules);
}

std::string not_comparable_html(const Reports& reports) {
  std::string items;
  for (const ComparisonReport& report : reports) {
    for (const ComparedCell& cell : report.comparison.cells) {
      if (cell.not_comparable.empty()) continue;
      items += fmt::format("<li>{}{}: {}</li>\n", html_text(cell_label(report, cell)),
                           reports.size() > 1 ? " in " + new_label(report) : "",
                           html_text(cell.not_comparable));
    }
  }
  return items.empty() ? std::string() : "<ul>\n" + items + "</ul>\n";
}

std::string words_html(const Reports& reports) {
  std::string out = fmt::format(
      "<dl class=\"words\">\n"
      "<div><dt>change</dt><dd>new / base - 1 of the geometric means over calls, within each "
      "prompt "
      "and then over prompts, prompts weighing alike.</dd></div>\n"
      "<div><dt>95 % interval</dt><dd>Of the change: the range that holds the true one in 95 of "
      "100 "
      "such comparisons, as far as the calls of these runs can tell.</dd></div>\n"
      "<div><dt>same</dt><dd>The whole interval lies within ± {0:g} %.</dd></div>\n"
      "<div><dt>better, worse</dt><dd>The interval excludes 0 and the change is beyond {0:g} % and "
      "twice the noise floor. Of latencies less is better, of speeds more.</dd></div>\n"
      "<div><dt>unclear</dt><dd>Neither: with more repetitions it would be one or the "
      "other.</dd></div>\n"
      "<div><dt>fresh, reused</dt><dd>Whether the engine had part of the prompt in its cache. The "
      "two are never compared with each other.</dd></div>\n",
      reports.front().tolerance * 100);
  for (const JudgedMetric& judged : judged_metrics()) {
    const Metric& metric = *find_metric(judged.metric);
    out += fmt::format("<div><dt>{}, {}</dt><dd>{}</dd></div>\n", html_text(metric.label),
                       html_text(metric.unit), html_text(metric.definition));
  }
  return out + "</dl>\n";
}

}  // namespace

std::string comparison_html(const std::vector<ComparisonReport>& reports,
                            const std::vector<const ReportModel*>& runs) {
  if (reports.empty()) return {};
  Definitions definitions;
  const std::vector<Part> parts{
      {"summary", "Changes",
       changes_html(reports) + figures_html(reports, definitions) + findings_html(reports)},
      {"load", "Throughput and latency", loads_html(reports, runs, definitions)},
      {"certainty", "How sure this is", certainty_html(reports)},
      {"missing", "What cannot be compared", not_comparable_html(reports)},
      {"circumstances", "Circumstances", settings_html(reports, runs, definitions)},
      {"next", "What to do next", steps_html(comparison_steps(reports))},
      {"words", "What the figures mean", words_html(reports)}};
  const std::string body = head_html(reports) + parts_html(parts) + definitions.notes();
  return page_html(title_of(reports), body,
                   fmt::format("Made by Assay {} from the runs' ledgers alone.",
                               html_text(reports.front().now.assay_version)),
                   "");
}

}  // namespace assay
