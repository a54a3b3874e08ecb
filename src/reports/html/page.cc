#include <fmt/format.h>

#include <algorithm>

#include "reports/builtin.h"
#include "reports/document.h"
#include "reports/html/answers.h"
#include "reports/html/cells.h"
#include "reports/html/circumstances.h"
#include "reports/html/data.h"
#include "reports/html/machine.h"
#include "reports/html/plots.h"
#include "reports/html/shell.h"
#include "reports/html/table.h"
#include "reports/html/text.h"
#include "reports/imported.h"
#include "reports/tables.h"

namespace assay {
namespace {

constexpr size_t kMaxPlotRows = 30;

std::string unreliable_html(const ReportModel& model) {
  if (model.unreliable.empty()) return {};
  std::string out =
      "<div class=\"warn\" role=\"note\"><h2>Unreliable: read the figures with care</h2>\n<ul>\n";
  for (const Caveat& caveat : model.unreliable) {
    out += fmt::format("<li>{}: {}</li>\n", html_text(caveat.code), html_text(caveat.detail));
  }
  return out + "</ul></div>\n";
}

std::string head_html(const ReportModel& model, const Document& document) {
  std::string out = fmt::format(
      "<header>\n<p class=\"eyebrow\">Assay, speed of language models</p>"
      "\n<h1>{}</h1>\n<ul class=\"plain\">\n",
      html_text(document.title));
  for (const std::string& fact : document.facts) {
    out += fmt::format("<li>{}</li>\n", html_text(fact));
  }
  out += "</ul>\n<div class=\"answer\">\n";
  for (const std::string& sentence : answers_of(model)) {
    out += fmt::format("<p>{}</p>\n", html_text(sentence));
  }
  out += fmt::format("</div>\n<p class=\"verdict {}\">{}</p>\n", model.measurement.ok ? "ok" : "no",
                     html_text(document.measurement));
  return out + unreliable_html(model) + "</header>\n";
}

std::string leg_label(const LegResult& leg) {
  std::string label = fmt::format("{} · {}", leg.prompt_id, to_text(leg.phase));
  if (leg.prefix != Prefix::kUnknown) label += fmt::format(" · {}", to_text(leg.prefix));
  if (leg.concurrency > 1) label += fmt::format(" · {} at once", leg.concurrency);
  return label;
}

/// The legs of a single cell: each metric's mean with its interval.
std::vector<PlotRow> leg_rows(const ReportModel& model, std::string_view name) {
  std::vector<PlotRow> rows;
  for (const LegResult& leg : model.legs) {
    const MetricResult* result = leg.find(name);
    if (result == nullptr || !result->summary.mean) continue;
    const Summary& s = result->summary;
    PlotRow row{
        leg_label(leg), with_interval(*result->metric, s.mean, s.ci95), {{*s.mean}}, s.ci95};
    if (!s.ci95) row.value += fmt::format(" no interval: {}", no_interval_text(s.no_ci95));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<PlotRow> speed_rows(const ReportModel& model, const std::vector<std::string>& labels) {
  std::vector<PlotRow> rows;
  for (const CellSummary* cell : best_first(model)) {
    PlotRow row{labels[static_cast<size_t>(cell->cell)], "", {}, {}};
    if (cell->tg_tps) {
      row.points = {{*cell->tg_tps}};
      row.interval = cell->tg_ci95;
      row.value = with_interval(*find_metric("decode_tps"), cell->tg_tps, cell->tg_ci95,
                                cell->estimated_tokens ? Counts::kEstimated : Counts::kExact);
      if (!cell->tg_ci95) {
        row.value += fmt::format(" no interval: {}", no_interval_text(cell->tg_no_ci95));
      }
    } else {
      row.value = cell->ok > 0 ? "no speed" : nothing_measured(*cell);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<PlotRow> ttft_rows(const ReportModel& model, const std::vector<std::string>& labels) {
  std::vector<PlotRow> rows;
  for (const CellSummary* cell : best_first(model)) {
    PlotRow row{labels[static_cast<size_t>(cell->cell)], "", {}, {}};
    const auto add = [&](std::optional<double> value, int64_t calls, Mark mark,
                         std::string_view state) {
      if (!value) return;
      row.points.push_back({*value, mark});
      row.value += fmt::format("{}{} {}", row.value.empty() ? "" : " · ", state,
                               median_cell(value, calls).text);
    };
    add(cell->ttft_fresh_ms, cell->ttft_fresh_calls, Mark::kDot, "● fresh");
    add(cell->ttft_reused_ms, cell->ttft_reused_calls, Mark::kRing, "○ reused");
    add(cell->ttft_unknown_ms, cell->ttft_unknown_calls, Mark::kDiamond, "◆ unknown");
    if (row.points.empty()) row.value = cell->ok > 0 ? "no TTFT" : nothing_measured(*cell);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string limited_plot(const std::string& title, std::string note, std::vector<PlotRow> rows) {
  if (rows.size() > kMaxPlotRows) {
    note += fmt::format(" · first {} of {} drawn", kMaxPlotRows, rows.size());
    rows.resize(kMaxPlotRows);
  }
  return interval_plot(title, note, rows);
}

std::string plots_html(const ReportModel& model) {
  if (model.cells.size() == 1) {
    return limited_plot("Output speed, tok/s", "mean, bar: 95 % interval",
                        leg_rows(model, "decode_tps")) +
           limited_plot("TTFT, ms", "mean, bar: 95 % interval", leg_rows(model, "ttft_ms"));
  }
  const std::vector<std::string> labels = cell_labels(model.meta);
  return limited_plot("Output speed, tok/s", "bar: 95 % interval", speed_rows(model, labels)) +
         limited_plot("TTFT, ms", "medians by state of the prompt's prefix",
                      ttft_rows(model, labels));
}

/// What a table of the summary is about, for those who do not see it.
std::string_view caption_of(std::string_view first_column) {
  if (first_column == "Engine says") return "The engines' own figures";
  if (first_column == "Routing") return "What the routers add";
  if (first_column == "Headcount") return "How many users at once are served as asked";
  if (first_column == "Cold start") return "Where the time of cold calls went";
  return "One row per cell, fastest text generation first";
}

/// Of several cells the document's tables; of one cell they are its legs, which follow below, what
/// the engine says itself, and where the time of its cold calls went.
std::string summary_html(const ReportModel& model, const Document& document,
                         Definitions& definitions) {
  std::string out;
  const bool of_legs = model.meta.suite != "speed" && !has_cell_table(model);
  for (const Block& block : document.blocks) {
    const Table* table = std::get_if<Table>(&block);
    if (table == nullptr || table->columns[0].title == "Of") continue;
    const std::string& first = table->columns[0].title;
    const bool own = first == "Cold start" || first == "Headcount" || first == "Engine says";
    if (of_legs && !own) continue;
    out += html_table(*table, caption_of(first), definitions);
  }
  out += plots_html(model);
  return out + list_html("Warnings", document.warnings);
}

/// A check that is over its limit and still ok only informs.
std::string_view verdict_of(const Check& check) {
  if (!check.ok) return "✕ failed";
  if (!check.value) return "not judged";
  return check.decides || *check.value <= check.limit
             ? "✓ ok"
             : "over, only informs: kernel stamps stay right";
}

std::string checks_html(const Measurement& measurement) {
  std::string out =
      "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Checks\"><table "
      "class=\"checks\"><caption>"
      "Whether the measurement itself can be trusted</caption>\n<thead><tr><th scope=\"col\">Check"
      "</th><th scope=\"col\" class=\"l\">Question</th><th scope=\"col\">Found</th>"
      "<th scope=\"col\">Limit</th><th scope=\"col\" class=\"l\">Verdict</th></tr></thead>\n"
      "<tbody>";
  for (const Check& check : measurement.checks) {
    const CheckWords* words = words_of_check(check.name);
    out += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"l\">{}</td><td>{}</td><td>{} {}</td>"
        "<td class=\"l {}\">{}</td></tr>\n",
        html_text(check.name), words != nullptr ? words->asks : "",
        check.value ? fmt::format("{:.4g}", *check.value) : "-", check.limit,
        words != nullptr ? words->unit : "", check.ok ? "" : "no", verdict_of(check));
  }
  return out + "</tbody></table></div>\n";
}

std::vector<NextStep> steps_of(const ReportModel& model, const RenderOptions& options) {
  std::vector<NextStep> steps = next_steps(model);
  for (const std::string& command : options.next) steps.push_back({"", command});
  return steps;
}

std::string words_html() {
  std::string out =
      "<dl class=\"words\">\n"
      "<div><dt>±</dt><dd>A 95 % confidence interval of the mean, within this run. It is left out "
      "below 6 calls, when one call is far off the median, and when successive calls are "
      "correlated.</dd></div>\n"
      "<div><dt>~</dt><dd>An estimate: a percentile on fewer calls than its own interval needs, or "
      "a speed on estimated token counts.</dd></div>\n"
      "<div><dt>fresh, reused</dt><dd>Whether the engine had part of the prompt in its cache. The "
      "two are never pooled.</dd></div>\n"
      "<div><dt>p50, p95</dt><dd>Half of the calls, 95 % of the calls were at or below it. Of "
      "speeds the low side is the bad one: p10, p5, p1.</dd></div>\n";
  for (const Metric& metric : metrics()) {
    out += fmt::format("<div><dt>{}, {}</dt><dd>{}</dd></div>\n", html_text(metric.label),
                       html_text(metric.unit), html_text(metric.definition));
  }
  return out + "</dl>\n";
}

}  // namespace

std::string render_html(const ReportModel& model, const RenderOptions& options) {
  const Document document = make_document(model);
  Definitions definitions;
  const std::vector<Part> parts{
      {"summary", "Summary", summary_html(model, document, definitions)},
      {"reported", "As the other tool reports it",
       model.meta.imported ? html_table(reported_table(*model.meta.imported),
                                        "Under its own names and definitions", definitions)
                           : std::string()},
      {"next", "What to do next", steps_html(steps_of(model, options))},
      {"checks", "The measurement itself", checks_html(model.measurement)},
      {"machine", "The machine meanwhile", machine_html(model, definitions)},
      {"troubles", "Failures and skips", troubles_html(model, definitions)},
      {"cells", "In detail", cell_sections(model, definitions)},
      {"circumstances", "Circumstances", circumstances_html(model, definitions)},
      {"words", "What the figures mean", words_html()}};
  const std::string body = head_html(model, document) + parts_html(parts) + definitions.notes();
  const std::string foot = fmt::format("Made by Assay {} from the run's ledger alone.",
                                       html_text(model.meta.assay_version));
  return page_html(document.title, body, foot, data_island(model));
}

}  // namespace assay
