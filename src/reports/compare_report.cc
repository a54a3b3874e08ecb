#include "reports/compare_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "reports/tables.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;
constexpr size_t kIdPrefix = 8;
constexpr size_t kMaxSame = 8;

std::string_view mark_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kBetter:
      return "▲ better";
    case Verdict::kWorse:
      return "▼ worse";
    case Verdict::kSame:
      return "= same";
    case Verdict::kUnclear:
      return "? unclear";
  }
  return "";
}

std::string label_of(const ComparedMetric& row) {
  std::string label(row.metric->label);
  if (row.prefix && *row.prefix != Prefix::kUnknown) {
    label += fmt::format(" {}", to_text(*row.prefix));
  }
  if (row.concurrency > 1) label += fmt::format(" c{}", row.concurrency);
  return label;
}

std::string interval_text(const std::optional<Difference>& difference) {
  if (!difference) return "-";
  const Interval ci = difference->ci95();
  const auto end = [](double share) {
    return std::fabs(share) >= 9.995 ? fmt::format("{:+.0f}", share * 100)
                                     : fmt::format("{:+.1f}", share * 100);
  };
  return fmt::format("{} … {}", end(ci.low), end(ci.high));
}

std::vector<TableCell> row_of(const ComparedMetric& row) {
  return {label_of(row),
          std::string(row.metric->unit),
          metric_text(*row.metric, row.base),
          metric_text(*row.metric, row.now),
          percent_text(row.now / row.base - 1),
          interval_text(row.difference),
          std::string(row.difference ? mark_of(row.verdict) : "? few calls")};
}

std::string rate_text(const SuccessRate& rate) {
  const auto share = rate.share();
  return share ? fmt::format("{:.3f}", *share) : "-";
}

std::vector<TableCell> prompt_row(const ComparedMetric& row, const ComparedStratum& stratum) {
  const bool judged = stratum.difference.base_n > 0;
  return {"  " + stratum.prompt_id,
          "",
          metric_text(*row.metric, stratum.base),
          metric_text(*row.metric, stratum.now),
          percent_text(stratum.now / stratum.base - 1),
          interval_text(judged ? std::optional(stratum.difference) : std::nullopt)};
}

Table table_of(const ComparedCell& cell, bool by_prompt) {
  Table table;
  table.columns = {
      {"Metric", "", Align::kLeft}, {"", "", Align::kLeft},       {"base"}, {"new"}, {"change"},
      {"95 % int.", "%"},           {"verdict", "", Align::kLeft}};
  for (const ComparedMetric& row : cell.metrics) {
    table.rows.push_back(row_of(row));
    if (!by_prompt || row.strata.size() < 2) continue;
    for (const ComparedStratum& stratum : row.strata) {
      table.rows.push_back(prompt_row(row, stratum));
    }
  }
  table.rows.push_back(
      {"Success rate", "", rate_text(cell.base_success), rate_text(cell.new_success)});
  return table;
}

std::string title_of(const ComparisonReport& r) {
  const std::string base = r.base.run_id.substr(0, kIdPrefix);
  return fmt::format("{} against {} · tolerance {:g} %", r.now.run_id.substr(0, kIdPrefix),
                     r.base_name.empty() ? base : fmt::format("{} ({})", base, r.base_name),
                     r.tolerance * 100);
}

std::string list_text(std::vector<std::string> items, size_t most) {
  if (items.size() > most) {
    const size_t rest = items.size() - most;
    items.resize(most);
    items.push_back(fmt::format("{} more", rest));
  }
  return fmt::format("{}", fmt::join(items, ", "));
}

std::vector<std::string> facts_of(const ComparisonReport& r) {
  std::vector<std::string> facts;
  if (!r.comparison.same.empty())
    facts.push_back("same: " + list_text(r.comparison.same, kMaxSame));
  std::vector<std::string> differs;
  for (const SettingChange& change : r.comparison.differs) {
    differs.push_back(fmt::format("{} {} -> {}", change.name, change.base, change.now));
  }
  facts.push_back(differs.empty() ? "differs: nothing that the runs state"
                                  : "differs: " + list_text(std::move(differs), 2 * kMaxSame));
  facts.emplace_back("figures are geometric means over calls, prompts weighing alike");
  return facts;
}

void add_regressions(const RunComparison& comparison, Document& document) {
  for (const ComparedCell& cell : comparison.cells) {
    for (const ComparedMetric& row : cell.metrics) {
      if (!is_regression(row)) continue;
      document.failures.push_back(fmt::format("{}: {} became worse by {}", cell.new_id,
                                              label_of(row), percent_text(row.now / row.base - 1)));
    }
  }
}

/// `1 better, 0 worse, 2 same, 1 unclear`.
std::string counts_text(const RunComparison& comparison) {
  std::vector<std::string> parts;
  for (const Verdict verdict :
       {Verdict::kBetter, Verdict::kWorse, Verdict::kSame, Verdict::kUnclear}) {
    parts.push_back(fmt::format("{} {}", comparison.count(verdict), to_text(verdict)));
  }
  std::string text = fmt::format("{}", fmt::join(parts, ", "));
  int64_t more = 0;
  for (const ComparedCell& cell : comparison.cells) {
    for (const ComparedMetric& row : cell.metrics) more = std::max(more, row.more.value_or(0));
  }
  if (more > 0) text += fmt::format(" (about {} more repetitions would settle it)", more);
  return text;
}

void add_scope(const ComparedCell& cell, Document& document) {
  double detectable = 0;
  for (const ComparedMetric& row : cell.metrics) {
    if (row.metric->name == "decode_tps") detectable = row.detectable;
  }
  if (detectable > 0) {
    document.notes.push_back(fmt::format(
        "smallest change of the output speed that this comparison finds in 4 of 5: {:.1f} %",
        detectable * 100));
  }
  const bool has_floor = std::any_of(cell.metrics.begin(), cell.metrics.end(),
                                     [](const auto& row) { return row.noise_floor.has_value(); });
  if (cell.by_restart || has_floor) return;
  document.warnings.emplace_back(
      "within-run only: how far identical runs lie apart here is unknown, and a run's own interval "
      "is narrower than that; --restarts 3 on both runs or 'assay doctor --noise' tells");
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

// ---- JSON ----

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
Json number(const std::optional<double>& value) { return value ? number(*value) : Json(nullptr); }

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
          {"difference", difference_json(row.difference)},
          {"verdict", to_text(row.verdict)},
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

Json finding_json(const Finding& f) {
  return {{"kind", to_text(f.kind)},
          {"cell_id", printable(f.cell_id)},
          {"prompt_id", printable(f.prompt_id)},
          {"metric", f.metric},
          {"base", number(f.base)},
          {"new", number(f.now)},
          {"change", number(f.change)},
          {"n", f.n},
          {"detail", printable(f.detail, 400)}};
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
  for (const Finding& finding : r.findings) findings.push_back(finding_json(finding));
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

bool ComparisonReport::failed() const {
  return comparison.regressed() ||
         std::any_of(thresholds.begin(), thresholds.end(),
                     [](const CheckedThreshold& checked) { return !checked.misses.empty(); });
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
    document.blocks.emplace_back(table_of(cell, r.by_prompt));
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

std::string comparison_json(const std::vector<ComparisonReport>& reports) {
  Json list = Json::array();
  for (const ComparisonReport& report : reports) list.push_back(report_json(report));
  const Json document{{"schema", "assay.compare/1"}, {"comparisons", std::move(list)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace assay
