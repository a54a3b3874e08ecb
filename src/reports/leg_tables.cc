#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <span>
#include <string>
#include <utility>

#include "base/text.h"
#include "reports/sustained_text.h"
#include "reports/tables.h"

namespace assay {
namespace {

using Row = std::vector<TableCell>;

constexpr size_t kMaxBars = 12;
constexpr double kDiffers = 0.05;
constexpr int kLabelWidth = 14;
constexpr int kUnitWidth = 5;
constexpr int kMeanWidth = 15;
constexpr int kFigureWidth = 7;

/// The first that a leg has: the client's, what stands in for it, and the engine's own.
constexpr std::array<std::string_view, 3> kSpeeds{"decode_tps", "chunks_per_sec",
                                                  "engine_decode_tps"};

using Figure = std::optional<double> Summary::*;
struct Percentile {
  std::string_view title;
  Figure figure;
  std::optional<Interval> Summary::*interval;
  int low_n;  ///< The percentile that needs as many values: p10 as many as p90.
};
constexpr std::array kHighTail{Percentile{"p50", &Summary::p50, &Summary::p50_ci95, 50},
                               Percentile{"p90", &Summary::p90, &Summary::p90_ci95, 90},
                               Percentile{"p95", &Summary::p95, &Summary::p95_ci95, 95},
                               Percentile{"p99", &Summary::p99, &Summary::p99_ci95, 99}};
constexpr std::array kLowTail{Percentile{"p50", &Summary::p50, &Summary::p50_ci95, 50},
                              Percentile{"p10", &Summary::p10, &Summary::p10_ci95, 90},
                              Percentile{"p5", &Summary::p5, &Summary::p5_ci95, 95},
                              Percentile{"p1", &Summary::p1, &Summary::p1_ci95, 99}};

std::string plural(int64_t n, std::string_view noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

bool is_low(const Summary& summary, int percentile) {
  return std::find(summary.low_n.begin(), summary.low_n.end(), percentile) != summary.low_n.end();
}

TableCell percentile_cell(const MetricResult& result, const Percentile& p) {
  const std::string text = metric_text(*result.metric, result.summary.*p.figure);
  if (!is_low(result.summary, p.low_n) || text == "-") {
    TableCell cell = text;
    const auto& interval = result.summary.*p.interval;
    if (interval) cell.range = range_text(*result.metric, interval);
    return cell;
  }
  return {"~" + text, TableCell::Weight::kFaint, needed_for_percentile(p.low_n / 100.0)};
}

/// The metrics shown of a leg: those that its calls have, and of two that say the same only one.
std::vector<const MetricResult*> shown(const LegResult& leg, Better better) {
  const auto mean = [&](std::string_view name) {
    const MetricResult* found = leg.find(name);
    return found != nullptr ? found->summary.mean : std::nullopt;
  };
  std::vector<std::string_view> names;
  if (better == Better::kLower) {
    names = {"ttft_ms"};
    const auto first = mean("ttft_ms");
    const auto visible = mean("ttfv_ms");
    if (visible && (!first || *visible > *first * (1 + kDiffers))) names.push_back("ttfv_ms");
    names.insert(names.end(), {"itl_ms", "e2e_ms"});
    if (leg.phase == Phase::kCold) names.push_back("load_ms");
  } else {
    const auto speed = std::find_if(kSpeeds.begin(), kSpeeds.end(), [&](std::string_view name) {
      return leg.find(name) != nullptr;
    });
    if (speed != kSpeeds.end()) names.push_back(*speed);
    names.push_back("prefill_tps");
  }
  std::vector<const MetricResult*> results;
  for (const std::string_view name : names) {
    if (const MetricResult* result = leg.find(name)) results.push_back(result);
  }
  return results;
}

/// Speeds rest on the count of output tokens, latencies do not.
Counts counts_of(const LegResult& leg, const Metric& metric) {
  const bool counted =
      metric.name == "decode_tps" || metric.name == "itl_ms" || metric.name == "e2e_tps";
  return counted && leg.estimated_tokens ? Counts::kEstimated : Counts::kExact;
}

TableCell label_cell(const Metric& metric) {
  TableCell cell = std::string(metric.label);
  cell.metric = metric.name;
  return cell;
}

template <class Tail>
Table percentile_table(const LegResult& leg, const std::vector<const MetricResult*>& results,
                       const Tail& tail, std::string mean_title) {
  Table table;
  table.columns = {{"", "", Align::kLeft, 0, kLabelWidth},
                   {"", "", Align::kRight, 0, kUnitWidth},
                   {std::move(mean_title), "", Align::kRight, 1, kMeanWidth}};
  for (const Percentile& p : tail) {
    const int drop = p.low_n == 90 ? 2 : 0;
    table.columns.push_back({std::string(p.title), "", Align::kRight, drop, kFigureWidth});
  }
  for (const MetricResult* result : results) {
    Row row{label_cell(*result->metric), std::string(result->metric->unit),
            with_interval(*result->metric, result->summary.mean, result->summary.ci95,
                          counts_of(leg, *result->metric))};
    for (const Percentile& p : tail) row.push_back(percentile_cell(*result, p));
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// `181.6`, or `> 30,000` where the percentile falls among calls that failed.
std::string censored_text(const Metric& metric, const std::optional<Censored>& p) {
  if (!p) return "-";
  return (p->censored ? "> " : "") + metric_text(metric, p->value);
}

/// The latencies over all calls, beside those over the ok ones above.
void add_all_calls(const LegResult& leg, Table& table) {
  if (!leg.all_calls) return;
  const auto add = [&](std::string_view name, std::string label, const CensoredPercentiles& p) {
    if (!p.p50) return;
    const Metric& metric = *find_metric(name);
    table.rows.push_back({std::move(label), std::string(metric.unit), "with failed",
                          censored_text(metric, p.p50), censored_text(metric, p.p90),
                          censored_text(metric, p.p95), censored_text(metric, p.p99)});
  };
  add("ttft_ms", "TTFT", leg.all_calls->ttft_ms);
  add("e2e_ms", "E2E latency", leg.all_calls->e2e_ms);
}

void add_throughput(const LegResult& leg, Table& table) {
  if (!leg.requests_per_sec) return;
  const Metric* speed = find_metric("e2e_tps");
  table.rows.push_back({std::string("Throughput"), std::string("tok/s"),
                        metric_text(*speed, leg.aggregate_tps),
                        fmt::format("{} req/s{}", grouped(*leg.requests_per_sec, 2),
                                    leg.split ? ", all prefix states" : "")});
}

/// Too few calls for percentiles: all values, sorted.
Table values_table(const LegResult& leg) {
  Table table;
  table.columns = {{"", "", Align::kLeft, 0, kLabelWidth},
                   {"", "", Align::kRight, 0, kUnitWidth},
                   {"mean", "", Align::kRight, 0, kMeanWidth},
                   {"all values, sorted", "", Align::kLeft}};
  for (const Better better : {Better::kLower, Better::kHigher}) {
    for (const MetricResult* result : shown(leg, better)) {
      std::vector<double> values = result->values;
      std::sort(values.begin(), values.end());
      std::vector<std::string> texts;
      texts.reserve(values.size());
      for (const double v : values) texts.push_back(metric_text(*result->metric, v));
      table.rows.push_back({label_cell(*result->metric), std::string(result->metric->unit),
                            with_interval(*result->metric, result->summary.mean, std::nullopt,
                                          counts_of(leg, *result->metric)),
                            join(texts, "  ")});
    }
  }
  add_throughput(leg, table);
  return table;
}

/// What tells the leg from the others of its prompt.
std::string name_of(const LegResult& leg) {
  if (leg.concurrency <= 1) return leg.prompt_id;
  return fmt::format("{} · concurrency {}", leg.prompt_id, leg.concurrency);
}

/// How the calls went, where there is something to say of it.
void add_course(const LegResult& leg, std::vector<std::string>& warnings) {
  if (!leg.course) return;
  const Course course = leg.course->course;
  if (course == Course::kDrifting || course == Course::kSaturated) {
    warnings.push_back(fmt::format(
        "{}: {}: E2E latency {} from the first to the last tenth of {}", name_of(leg),
        to_text(course), percent_text(leg.course->first_to_last), plural(leg.ok, "call")));
  }
  if (const int64_t warmup = leg.course->suggested_warmup(); warmup > 0) {
    warnings.push_back(fmt::format(
        "{}: the first {} look like warm-up (E2E latency {} against the rest); nothing was left "
        "out, --warmup {} would",
        name_of(leg), plural(warmup, "call"), percent_text(leg.course->warmup_change), warmup));
  }
}

void add_leg_warnings(const LegResult& leg, std::vector<std::string>& warnings) {
  const MetricResult* e2e = leg.find("e2e_ms");
  if (e2e != nullptr && !e2e->summary.low_n.empty()) {
    std::vector<std::string> names;
    std::vector<std::string> needs;
    for (const int p : e2e->summary.low_n) {
      names.push_back(fmt::format("p{}", p));
      needs.push_back(std::to_string(needed_for_percentile(p / 100.0)));
    }
    warnings.push_back(fmt::format(
        "{}: {} {} on {}; read ~ as an estimate (needs {})", name_of(leg), join(names, ", "),
        names.size() == 1 ? "rests" : "rest", plural(e2e->summary.n, "call"), join(needs, ", ")));
  }
  for (const Better better : {Better::kLower, Better::kHigher}) {
    for (const MetricResult* result : shown(leg, better)) {
      const std::string_view why = result->summary.no_ci95;
      if (why.empty() || why == "few") continue;
      warnings.push_back(fmt::format("{}: no interval for {}: {}", name_of(leg),
                                     result->metric->label, no_interval_text(why)));
    }
  }
}

}  // namespace

std::string leg_title(const LegResult& leg) {
  std::string title = fmt::format("{} · {}", leg.prompt_id, to_text(leg.phase));
  if (leg.cell < 0) title = leg.cell_id + " · " + title;  // No plan names it in the heading.
  if (leg.prefix != Prefix::kUnknown) title += fmt::format(" · {} prefix", to_text(leg.prefix));
  if (leg.concurrency > 1) title += fmt::format(" · concurrency {}", leg.concurrency);
  title += fmt::format(" · {}: {} ok", plural(leg.n, "call"), leg.ok);
  if (leg.failed > 0) title += fmt::format(", {} failed", leg.failed);
  if (leg.skipped > 0) title += fmt::format(", {} skipped", leg.skipped);
  if (leg.length > 0) title += fmt::format(", {} cut at the length limit", leg.length);
  if (leg.empty > 0) title += fmt::format(", {} empty", leg.empty);
  for (const LegMark& mark : leg.marks) title += fmt::format(" · {}: {}", mark.code, mark.detail);
  if (leg.course && leg.course->course != Course::kUnknown) {
    title += fmt::format(" · {}", to_text(leg.course->course));
    if (!leg.course_evidence.empty()) title += fmt::format(" ({})", leg.course_evidence);
  }
  if (leg.sustained) title += " · " + sustained_text(*leg.sustained);
  return title;
}

Histogram value_histogram(const MetricResult& result) {
  const Summary& s = result.summary;
  Histogram histogram{fmt::format("{}, {} (n {})", result.metric->label, result.metric->unit, s.n),
                      {}};
  if (!s.min || !s.max || *s.max <= *s.min) return histogram;
  const size_t bars =
      std::min(kMaxBars, static_cast<size_t>(std::ceil(std::sqrt(static_cast<double>(s.n)))));
  const double width = (*s.max - *s.min) / static_cast<double>(bars);
  const auto bar_of = [&](double value) {
    return std::min(static_cast<size_t>((value - *s.min) / width), bars - 1);
  };
  for (size_t i = 0; i < bars; ++i) {
    const double edge = *s.min + static_cast<double>(i) * width;
    histogram.bars.push_back({metric_text(*result.metric, edge), 0, ""});
  }
  for (const double value : result.values) ++histogram.bars[bar_of(value)].count;
  const std::span<const Percentile> marked =
      result.metric->better == Better::kHigher ? kLowTail : kHighTail;
  for (const Percentile& p : marked) {
    if (p.low_n == 90) continue;
    std::string& mark = histogram.bars[bar_of(*(s.*p.figure))].mark;
    mark += (mark.empty() ? "" : " ") + std::string(p.title);
  }
  return histogram;
}

Section leg_section(const LegResult& leg) {
  Section section;
  if (leg.n == 0 || leg.phase == Phase::kSkipped) return section;
  section.blocks.emplace_back(Heading{leg_title(leg)});
  if (leg.ok == 0 || leg.metrics.empty()) return section;
  if (leg.ok < kMinForInterval) {
    Table values = values_table(leg);
    if (!values.rows.empty()) section.blocks.emplace_back(std::move(values));
    return section;
  }
  const auto low = shown(leg, Better::kLower);
  if (!low.empty()) {
    Table table = percentile_table(leg, low, kHighTail, "mean ± 95% CI");
    add_all_calls(leg, table);
    section.blocks.emplace_back(std::move(table));
  }
  Table high = percentile_table(leg, shown(leg, Better::kHigher), kLowTail,
                                low.empty() ? "mean ± 95% CI" : "");
  add_throughput(leg, high);
  if (!high.rows.empty()) section.blocks.emplace_back(std::move(high));
  const MetricResult* ttft = leg.find("ttft_ms");
  if (ttft != nullptr && ttft->values.size() >= kMinForHistogram) {
    Histogram histogram = value_histogram(*ttft);
    if (!histogram.bars.empty()) section.blocks.emplace_back(std::move(histogram));
  }
  add_course(leg, section.warnings);
  add_leg_warnings(leg, section.warnings);
  return section;
}

Section legs_section(const ReportModel& model) {
  Section section;
  const std::vector<std::string> labels = cell_labels(model.meta);
  int64_t cell = -1;
  for (const LegResult& leg : model.legs) {
    if (model.meta.cells.size() > 1 && leg.cell >= 0 && leg.cell != cell) {
      cell = leg.cell;
      section.blocks.emplace_back(Heading{labels[static_cast<size_t>(cell)]});
    }
    Section one = leg_section(leg);
    std::move(one.blocks.begin(), one.blocks.end(), std::back_inserter(section.blocks));
    std::move(one.warnings.begin(), one.warnings.end(), std::back_inserter(section.warnings));
  }
  return section;
}

}  // namespace assay
