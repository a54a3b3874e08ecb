#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/compare_words.h"
#include "reports/html/compare_parts.h"
#include "reports/html/plots.h"
#include "reports/html/ratio_plot.h"
#include "reports/html/text.h"
#include "reports/tables.h"

namespace assay {
namespace {

constexpr size_t kMaxPlotRows = 120;
constexpr size_t kMaxPromptBytes = 30'000;
constexpr size_t kMaxLoadBytes = 20'000;

const ComparedMetric* find_row(const ComparedCell& cell, const std::string& label) {
  for (const ComparedMetric& row : cell.metrics) {
    if (row_label(row) == label) return &row;
  }
  return nullptr;
}

/// A figure with its interval below.
TableCell with_range(std::string text, std::string range) {
  TableCell cell = std::move(text);
  if (range != "-") cell.range = std::move(range);
  return cell;
}

std::string change_text(const ComparedMetric& row) {
  std::string text = percent_text(row.now / row.base - 1);
  if (row.difference) text += fmt::format(" ({})", change_interval_text(row.difference));
  return text;
}

/// Rows of all runs, in the order in which they first appear.
std::vector<std::string> row_labels(const CellAcross& cell) {
  std::vector<std::string> labels;
  for (const CellAcross::In& in : cell.in) {
    for (const ComparedMetric& row : in.cell->metrics) {
      const std::string label = row_label(row);
      if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
    }
  }
  return labels;
}

/// The base's columns, then two of each run that can be compared.
Table across_table(const CellAcross& across) {
  CellAcross cell = across;
  std::erase_if(cell.in, [](const CellAcross::In& in) { return !in.cell->not_comparable.empty(); });
  Table table;
  table.columns = {{"Metric", "", Align::kLeft},
                   {"", "", Align::kLeft},
                   {"base " + base_label(*cell.in.front().report), "95 % int."}};
  for (const CellAcross::In& in : cell.in) {
    const std::string name = new_label(*in.report);
    table.columns.push_back({name, "95 % int."});
    table.columns.push_back({"change", "95 % int., %"});
  }
  for (const std::string& label : row_labels(cell)) {
    std::vector<TableCell> row(table.columns.size());
    for (size_t i = 0; i < cell.in.size(); ++i) {
      const ComparedMetric* metric = find_row(*cell.in[i].cell, label);
      const size_t at = 3 + 2 * i;
      row[at].text = row[at + 1].text = "-";
      if (metric == nullptr) continue;
      const Metric& kind = *metric->metric;
      row[0] = label;
      row[0].metric = kind.name;
      row[1] = std::string(kind.unit);
      TableCell base =
          with_range(metric_text(kind, metric->base), range_text(kind, metric->base_ci95));
      row[at] = with_range(metric_text(kind, metric->now), range_text(kind, metric->now_ci95));
      if (row[2].text.empty()) row[2] = base;
      // Runs that share fewer prompts with the base have another base figure.
      if (row[2].text != base.text) row[at].text += fmt::format(", base {}", base.text);
      row[at + 1] = with_range(
          fmt::format("{} {}", percent_text(metric->now / metric->base - 1), verdict_text(*metric)),
          change_interval_text(metric->difference));
    }
    table.rows.push_back(std::move(row));
  }
  std::vector<TableCell> rates(table.columns.size());
  rates[0] = "Success rate";
  rates[2] = rate_text(cell.in.front().cell->base_success);
  for (size_t i = 0; i < cell.in.size(); ++i) {
    rates[3 + 2 * i] = rate_text(cell.in[i].cell->new_success);
  }
  table.rows.push_back(std::move(rates));
  return table;
}

std::string prompts_html(const ComparedCell& cell, Definitions& definitions, size_t& room) {
  const bool several = std::any_of(cell.metrics.begin(), cell.metrics.end(),
                                   [](const auto& row) { return row.strata.size() > 1; });
  if (!several) return {};
  std::string table = html_table(comparison_table(cell, true), "Each prompt", definitions);
  if (table.size() > room) {
    return "<p class=\"small\">The figures of each prompt are left out here, which keeps this file "
           "small: the JSON comparison has them.</p>\n";
  }
  room -= table.size();
  return fmt::format("<details><summary>Each prompt</summary>\n{}</details>\n", table);
}

RatioRow plot_row(const ComparisonReport& report, const ComparedMetric& row, bool several) {
  RatioRow out;
  out.label = row_label(row);
  if (several) out.label += " · " + new_label(report);
  out.value = fmt::format("{} {}", change_text(row), verdict_text(row));
  out.change = row.now / row.base - 1;
  if (row.difference) out.interval = row.difference->ci95();
  if (row.noise_floor) out.noise = 2 * *row.noise_floor;
  out.settled = row.difference && row.verdict != Verdict::kUnclear;
  return out;
}

Table load_table(const std::vector<LoadPoint>& points) {
  Table table;
  table.columns = {{"Run", "", Align::kLeft},
                   {"at once", "calls"},
                   {"Throughput", "tok/s"},
                   {"TTFT", "median, ms"}};
  for (const LoadPoint& point : points) {
    table.rows.push_back({point.run, std::to_string(point.concurrency),
                          metric_text(*find_metric("e2e_tps"), point.tps),
                          metric_text(*find_metric("ttft_ms"), point.ttft_ms)});
  }
  return table;
}

/// Throughput over latency of a cell, a mark for each level of concurrency in each run.
std::string load_html(const CellAcross& cell, const Runs& runs, Definitions& definitions) {
  std::map<std::string, std::vector<LoadPoint>> prompts;
  for (size_t i = 0; i < runs.size(); ++i) {
    for (const LegResult& leg : runs[i]->legs) {
      const bool of_cell = std::any_of(cell.in.begin(), cell.in.end(), [&](const auto& in) {
        return leg.cell_id == (i == 0 ? in.cell->base_id : in.cell->new_id);
      });
      const MetricResult* ttft = leg.find("ttft_ms");
      if (!of_cell || leg.phase == Phase::kCold || ttft == nullptr) continue;
      if (!ttft->summary.p50 || !leg.aggregate_tps) continue;
      prompts[leg.prompt_id].push_back({leg.concurrency, *ttft->summary.p50, *leg.aggregate_tps,
                                        runs[i]->meta.run_id.substr(0, 8)});
    }
  }
  std::string out;
  for (auto& [prompt, points] : prompts) {
    const bool differ = std::any_of(points.begin(), points.end(), [&](const LoadPoint& point) {
      return point.concurrency != points.front().concurrency;
    });
    if (!differ) continue;
    const std::string title = cell.label + " · " + prompt;
    out += html_table(load_table(points), title, definitions);
    out += load_plot(title, std::move(points));
  }
  return out;
}

}  // namespace

std::string loads_html(const Reports& reports, const Runs& runs, Definitions& definitions) {
  std::string out;
  for (const CellAcross& cell : cells_across(reports)) {
    std::string plots = load_html(cell, runs, definitions);
    if (out.size() + plots.size() <= kMaxLoadBytes) out += plots;
  }
  return out;
}

std::vector<CellAcross> cells_across(const Reports& reports) {
  std::vector<CellAcross> cells;
  std::map<std::string, size_t> known;
  for (const ComparisonReport& report : reports) {
    for (const ComparedCell& cell : report.comparison.cells) {
      std::string id = cell.base_id.empty() ? cell.new_id : cell.base_id;
      // Variants of one run share their base.
      if (reports.size() == 1) id += "\n" + cell.new_id;
      const auto [place, is_new] = known.emplace(id, cells.size());
      if (is_new) cells.push_back({cell_label(report, cell), {}});
      cells[place->second].in.push_back({&report, &cell});
    }
  }
  return cells;
}

std::string figures_html(const Reports& reports, Definitions& definitions) {
  std::string out;
  size_t room = kMaxPromptBytes;
  for (const CellAcross& cell : cells_across(reports)) {
    const bool any = std::any_of(cell.in.begin(), cell.in.end(), [](const CellAcross::In& in) {
      return in.cell->not_comparable.empty();
    });
    if (!any) continue;
    out += reports.size() == 1
               ? html_table(comparison_table(*cell.in.front().cell, false), cell.label, definitions)
               : html_table(across_table(cell), cell.label, definitions);
    for (const CellAcross::In& in : cell.in) out += prompts_html(*in.cell, definitions, room);
  }
  return out;
}

std::string changes_html(const Reports& reports) {
  std::vector<RatioGroup> groups;
  size_t rows = 0;
  size_t left_out = 0;
  for (const CellAcross& cell : cells_across(reports)) {
    RatioGroup group{cell.label, {}};
    for (const std::string& label : row_labels(cell)) {
      for (const CellAcross::In& in : cell.in) {
        const ComparedMetric* row = find_row(*in.cell, label);
        if (row == nullptr) continue;
        if (++rows > kMaxPlotRows) {
          ++left_out;
        } else {
          group.rows.push_back(plot_row(*in.report, *row, reports.size() > 1));
        }
      }
    }
    groups.push_back(std::move(group));
  }
  if (groups.size() == 1) groups.front().title.clear();
  const double tolerance = reports.front().tolerance;
  std::string note = fmt::format(
      "bar: 95 % interval; shaded: within {:g} %, the same; ring: not settled", tolerance * 100);
  const bool floor = std::any_of(groups.begin(), groups.end(), [](const RatioGroup& group) {
    return std::any_of(group.rows.begin(), group.rows.end(),
                       [](const RatioRow& row) { return row.noise.has_value(); });
  });
  if (floor) note += "; dashes: noise of this machine";
  if (left_out > 0) note += fmt::format("; {} more rows in the tables", left_out);
  return ratio_plot("Change against the base", note, groups, tolerance);
}

}  // namespace assay
