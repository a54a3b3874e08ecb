#include "reports/html/plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "reports/html/axis.h"
#include "reports/html/text.h"
#include "reports/tables.h"

namespace assay {
namespace {

constexpr int kTicks = 7;
constexpr int kFewTicks = 5;
constexpr double kRowMiddle = 11;
constexpr double kFirstName = 10;
constexpr double kSecondName = 23;
constexpr double kBarsTop = 30;
constexpr double kBarsBottom = 100;
constexpr double kDotsMiddle = 28;
constexpr double kDotsBottom = 42;
constexpr double kLoadTop = 14;
constexpr double kLoadBottom = 180;

std::string mark_svg(double percent, double y, Mark mark) {
  const std::string x = short_number(percent);
  const std::string at = short_number(y);
  if (mark == Mark::kDiamond) {
    return fmt::format(R"(<svg x="{}%" y="{}" overflow="visible"><path class="dot" )"
                       R"(d="M0-5L5 0 0 5-5 0z"/></svg>)",
                       x, at);
  }
  return fmt::format(R"(<circle class="{}" cx="{}%" cy="{}" r="4.5"/>)",
                     mark == Mark::kDot ? "dot" : "ring", x, at);
}

std::string row_svg(const PlotRow& row, const Axis& axis) {
  if (row.points.empty()) return "<i></i>";
  std::string out = R"(<svg class="row" width="100%" height="22" aria-hidden="true">)";
  out += fmt::format(R"(<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>)",
                     short_number(kRowMiddle));
  if (row.interval) {
    const double low = axis.percent(std::max(row.interval->low, axis.low));
    const double high = axis.percent(std::min(row.interval->high, axis.high));
    out += fmt::format(R"(<rect class="ci" x="{:.2f}%" width="{:.2f}%" y="5" height="12" rx="2"/>)",
                       low, std::max(high - low, 0.0));
  }
  for (const PlotRow::Point& point : row.points) {
    out += mark_svg(axis.percent(point.at), kRowMiddle, point.mark);
  }
  return out + "</svg>";
}

/// A percentile's line with its name, which leans to the middle so that nothing is cut off.
std::string percentile_svg(std::string_view name, const MetricResult& result, double value,
                           double percent, double text_y, double bottom) {
  const bool left_half = percent < 50;
  return fmt::format(R"(<line class="p" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>)"
                     R"(<text x="{0}%" dx="{3}" y="{4}" text-anchor="{5}">{6} {7}</text>)",
                     short_number(percent), short_number(text_y - 8), short_number(bottom),
                     left_half ? 4 : -4, short_number(text_y), left_half ? "start" : "end", name,
                     metric_text(*result.metric, value));
}

/// The median and, below its name, the bad tail: each where its own interval can exist.
std::string percentiles_svg(const MetricResult& result, const Axis& axis, double bottom) {
  const Summary& s = result.summary;
  const bool high = result.metric->better == Better::kHigher;
  const auto tail = high ? s.p5 : s.p95;
  std::string out;
  if (s.p50 && s.n >= kMinForInterval) {
    out += percentile_svg("p50", result, *s.p50, axis.percent(*s.p50), kFirstName, bottom);
  }
  if (tail && s.n >= needed_for_percentile(0.95)) {
    out += percentile_svg(high ? "p5" : "p95", result, *tail, axis.percent(*tail), kSecondName,
                          bottom);
  }
  return out;
}

/// The bars as one path in a box that is as wide as the plot: 1000 across, one a pixel high.
std::string bars_svg(const Histogram& histogram, const Axis& axis, const Summary& s) {
  int64_t most = 1;
  for (const Bar& bar : histogram.bars) most = std::max(most, bar.count);
  const double left = 10 * axis.percent(*s.min);
  const double width = 10 * (axis.percent(*s.max) - axis.percent(*s.min)) /
                       static_cast<double>(histogram.bars.size());
  std::string path;
  for (size_t i = 0; i < histogram.bars.size(); ++i) {
    const int64_t count = histogram.bars[i].count;
    if (count == 0) continue;
    const double height =
        (kBarsBottom - kBarsTop) * static_cast<double>(count) / static_cast<double>(most);
    path += fmt::format("M{} {}h{}v-{}h-{}z", short_number(left + static_cast<double>(i) * width),
                        short_number(kBarsBottom), short_number(width * 0.92), short_number(height),
                        short_number(width * 0.92));
  }
  return fmt::format(R"(<svg width="100%" height="{0}" viewBox="0 0 1000 {0}" )"
                     R"(preserveAspectRatio="none"><path class="bar" d="{1}"/></svg>)",
                     short_number(kBarsBottom), path);
}

std::string spread_text(const MetricResult& result) {
  const Summary& s = result.summary;
  return fmt::format("{} to {} {}, median {}", metric_text(*result.metric, s.min),
                     metric_text(*result.metric, s.max), result.metric->unit,
                     metric_text(*result.metric, s.p50));
}

std::string figure(std::string_view kind, std::string_view title, std::string_view label,
                   double height, const std::string& inside) {
  return fmt::format(
      "<figure class=\"{}\"><figcaption>{}</figcaption><svg class=\"plot\" width=\"100%\" "
      "height=\"{}\" role=\"img\" aria-label=\"{}\">{}</svg></figure>\n",
      kind, html_text(title), short_number(height), html_text(label), inside);
}

}  // namespace

std::string interval_plot(const std::string& title, const std::string& note,
                          const std::vector<PlotRow>& rows) {
  double highest = 0;
  size_t points = 0;
  for (const PlotRow& row : rows) {
    for (const PlotRow::Point& point : row.points) highest = std::max(highest, point.at);
    if (row.interval) highest = std::max(highest, row.interval->high);
    points += row.points.size();
  }
  if (points == 0) return {};
  const Axis axis = axis_from_zero(highest);
  std::string out = fmt::format(
      "<figure class=\"rows\"><figcaption>{}<small>{}</small></figcaption>"
      "\n<ul role=\"list\">\n",
      html_text(title), html_text(note));
  for (const PlotRow& row : rows) {
    out += fmt::format("<li><span>{}</span>{}<b>{}</b></li>\n", html_text(row.label),
                       row_svg(row, axis), html_text(row.value));
  }
  out += fmt::format(
      "</ul><div class=\"axis\" aria-hidden=\"true\"><svg class=\"row\" "
      "width=\"100%\" height=\"20\">{}</svg></div></figure>\n",
      axis_svg(axis, 0.5, kTicks));
  return out;
}

std::string distribution_plot(const MetricResult& result) {
  const Summary& s = result.summary;
  if (s.n == 0 || !s.min || !s.max) return {};
  const Axis axis = axis_around(*s.min, *s.max);
  const Histogram histogram =
      s.n >= static_cast<int64_t>(kMinForHistogram) ? value_histogram(result) : Histogram();
  const std::string title =
      fmt::format("{}, {} (n {})", result.metric->label, result.metric->unit, s.n);
  if (!histogram.bars.empty()) {
    return figure("values", title,
                  fmt::format("Histogram of {} calls: {}", s.n, spread_text(result)),
                  kBarsBottom + 20,
                  bars_svg(histogram, axis, s) + percentiles_svg(result, axis, kBarsBottom) +
                      axis_svg(axis, kBarsBottom, kFewTicks));
  }
  std::string dots;
  const size_t drawn = std::min(result.values.size(), kMinForHistogram);
  for (size_t i = 0; i < drawn; ++i) {
    dots += fmt::format(R"(<circle cx="{}%" cy="{}" r="5"/>)",
                        short_number(axis.percent(result.values[i])), short_number(kDotsMiddle));
  }
  return figure("values", title,
                fmt::format("A dot a call, {} calls: {}", s.n, spread_text(result)),
                kDotsBottom + 20,
                "<g class=\"calls\">" + dots + "</g>" + percentiles_svg(result, axis, kDotsBottom) +
                    axis_svg(axis, kDotsBottom, kFewTicks));
}

std::string load_plot(const std::string& title, std::vector<LoadPoint> points) {
  std::sort(points.begin(), points.end(),
            [](const LoadPoint& a, const LoadPoint& b) { return a.concurrency < b.concurrency; });
  if (points.size() < 2) return {};
  double slowest = 0;
  double most = 0;
  for (const LoadPoint& point : points) {
    slowest = std::max(slowest, point.ttft_ms);
    most = std::max(most, point.tps);
  }
  const Axis across = axis_from_zero(slowest);
  const Axis up = axis_from_zero(most);
  const auto height = [&](double tps) {
    return kLoadBottom - (kLoadBottom - kLoadTop) * up.percent(tps) / 100;
  };
  std::string inside;
  for (const Tick& tick : ticks_of(up, kTicks)) {
    const std::string y = short_number(height(tick.at));
    inside += fmt::format(R"(<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>)"
                          R"(<text class="e" x="-6" y="{1}">{2}</text>)",
                          y, short_number(height(tick.at) + 4), tick.text);
  }
  std::string path;
  std::string marks;
  std::string label = "Throughput over median TTFT:";
  bool below = true;
  for (const LoadPoint& point : points) {
    const double x = across.percent(point.ttft_ms);
    path += fmt::format("{}{} {}", path.empty() ? "M" : "L", short_number(10 * x),
                        short_number(height(point.tps)));
    const std::string rest =
        " at once" + (point.run.empty() ? std::string() : " · " + html_text(point.run));
    // Text leans to the middle, so that nothing is cut off; neighbours stand above and below.
    const bool left_half = x < 60;
    const double drop = below ? 16 : -9;
    below = !below;
    marks +=
        mark_svg(x, height(point.tps), Mark::kDot) +
        fmt::format(R"(<text x="{}%" dx="{}" y="{}" text-anchor="{}">{}<tspan>{}</tspan></text>)",
                    short_number(x), left_half ? 8 : -8, short_number(height(point.tps) + drop),
                    left_half ? "start" : "end", point.concurrency, rest);
    const std::string name = fmt::format("{}{}", point.concurrency, rest);
    label +=
        fmt::format(" {} {} tok/s, {} ms;", name, metric_text(*find_metric("e2e_tps"), point.tps),
                    metric_text(*find_metric("ttft_ms"), point.ttft_ms));
  }
  inside += fmt::format(R"(<svg width="100%" height="{0}" viewBox="0 0 1000 {0}" )"
                        R"(preserveAspectRatio="none"><path class="joined" d="{1}"/></svg>)",
                        short_number(kLoadBottom), path);
  return figure("load", title + ": throughput, tok/s, over median TTFT, ms, by calls at once",
                label, kLoadBottom + 20, inside + marks + axis_svg(across, kLoadBottom, kTicks));
}

}  // namespace assay
