#include "reports/html/ratio_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "reports/html/text.h"

namespace assay {
namespace {

constexpr double kHeight = 26;
constexpr double kMiddle = kHeight / 2;
constexpr double kTickRoom = 13;  ///< Percent of the width that a tick's text keeps free.
constexpr double kEdge = 1.5;     ///< Percent of the width beside the outermost value.
/// The roundest first: they get their place before others.
constexpr std::array kTicks{0.0, 1.0,  -0.5, 0.1,   -0.1, 3.0,   -0.75, 0.5,   -0.3,  0.2,   -0.2,
                            7.0, -0.8, 0.05, -0.05, 0.02, -0.02, 0.01,  -0.01, 0.005, -0.005};

/// `+20 %`, `0`.
std::string tick_text(double change) {
  return change == 0 ? "0" : fmt::format("{:+g} %", change * 100);
}

std::string axis_svg(const RatioAxis& axis) {
  std::vector<double> taken;
  std::string out = "<g class=\"m\">";
  for (const double tick : kTicks) {
    if (!axis.holds(tick)) continue;
    const double at = axis.percent(tick);
    const bool crowded = std::any_of(taken.begin(), taken.end(), [&](double other) {
      return std::fabs(other - at) < kTickRoom;
    });
    if (crowded) continue;
    taken.push_back(at);
    out += fmt::format(
        R"(<line class="ax" x1="{0}%" x2="{0}%" y2="4"/><text x="{0}%" y="15">{1}</text>)",
        short_number(at), tick_text(tick));
  }
  return out + "</g>";
}

std::string band_svg(std::string_view kind, const RatioAxis& axis, double share) {
  const double from = axis.percent(-share);
  const double to = axis.percent(share);
  return fmt::format(R"(<rect class="{}" x="{:.2f}%" width="{:.2f}%" height="{}"/>)", kind, from,
                     to - from, short_number(kHeight));
}

/// An end that lies outside the picture: an arrow that points there.
std::string beyond_svg(double percent, bool right) {
  return fmt::format(R"(<svg x="{}%" y="{}" overflow="visible"><path class="dot" d="{}"/></svg>)",
                     short_number(percent), short_number(kMiddle),
                     right ? "M0-5L7 0 0 5z" : "M0-5L-7 0 0 5z");
}

std::string row_svg(const RatioRow& row, const RatioAxis& axis, double tolerance) {
  std::string out = fmt::format(R"(<svg class="row" width="100%" height="{}" aria-hidden="true">)",
                                short_number(kHeight));
  out += band_svg("tol", axis, tolerance);
  if (row.noise && *row.noise > 0) out += band_svg("noise", axis, *row.noise);
  out += fmt::format(R"(<line class="zero" x1="{0}%" x2="{0}%" y2="{1}"/>)",
                     short_number(axis.percent(0)), short_number(kHeight));
  if (row.interval) {
    const double low = axis.percent(row.interval->low);
    const double high = axis.percent(row.interval->high);
    out +=
        fmt::format(R"(<rect class="ci" x="{:.2f}%" width="{:.2f}%" y="{}" height="10" rx="2"/>)",
                    low, std::max(high - low, 0.0), short_number(kMiddle - 5));
    if (!axis.holds(row.interval->low)) out += beyond_svg(low, false);
    if (!axis.holds(row.interval->high)) out += beyond_svg(high, true);
  }
  if (row.change && axis.holds(*row.change)) {
    out +=
        fmt::format(R"(<circle class="{}" cx="{:.2f}%" cy="{}" r="4.5"/>)",
                    row.settled ? "dot" : "ring", axis.percent(*row.change), short_number(kMiddle));
  } else if (row.change && !row.interval) {
    out += beyond_svg(axis.percent(*row.change), *row.change > 0);
  }
  return out + "</svg>";
}

}  // namespace

double RatioAxis::percent(double change) const {
  const double at = change > -1 ? std::log1p(change) : low;
  return std::clamp(100 * (at - low) / (high - low), 0.0, 100.0);
}

bool RatioAxis::holds(double change) const {
  return change > -1 && std::log1p(change) >= low && std::log1p(change) <= high;
}

RatioAxis ratio_axis(const std::vector<RatioGroup>& groups, double tolerance) {
  double low = -2 * tolerance;
  double high = 2 * tolerance;
  const auto reach = [&](double change) {
    const double at = change > -1 && std::isfinite(change) ? std::log1p(change) : 0;
    low = std::min(low, at);
    high = std::max(high, at);
  };
  for (const RatioGroup& group : groups) {
    for (const RatioRow& row : group.rows) {
      if (row.change) reach(*row.change);
      if (row.interval) {
        reach(row.interval->low);
        reach(row.interval->high);
      }
      if (row.noise) {
        reach(*row.noise);
        reach(-*row.noise);
      }
    }
  }
  const double most = std::log(kMostFactor);
  low = std::max(low, -most);
  high = std::min(high, most);
  const double room = (high - low) * kEdge / 100;
  return {low - room, high + room};
}

std::string ratio_plot(const std::string& title, const std::string& note,
                       const std::vector<RatioGroup>& groups, double tolerance) {
  const bool any = std::any_of(groups.begin(), groups.end(),
                               [](const RatioGroup& group) { return !group.rows.empty(); });
  if (!any) return {};
  const RatioAxis axis = ratio_axis(groups, tolerance);
  std::string out =
      fmt::format("<figure class=\"rows ratio\"><figcaption>{}<small>{}</small></figcaption>\n",
                  html_text(title), html_text(note));
  for (const RatioGroup& group : groups) {
    if (group.rows.empty()) continue;
    if (!group.title.empty()) out += fmt::format("<h3>{}</h3>\n", html_text(group.title));
    out += "<ul role=\"list\">\n";
    for (const RatioRow& row : group.rows) {
      out += fmt::format("<li><span>{}</span>{}<b>{}</b></li>\n", html_text(row.label),
                         row_svg(row, axis, tolerance), html_text(row.value));
    }
    out += "</ul>";
  }
  return out + fmt::format(
                   "<div class=\"axis\" aria-hidden=\"true\"><svg class=\"row\" width=\"100%\" "
                   "height=\"20\">{}</svg></div></figure>\n",
                   axis_svg(axis));
}

}  // namespace assay
