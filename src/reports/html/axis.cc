#include "reports/html/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "reports/html/text.h"

namespace assay {
namespace {

constexpr double kRoom = 0.06;
constexpr double kTextDrop = 14;

/// 1, 2 or 5 times a power of ten, at least `rough`.
double round_step(double rough) {
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

}  // namespace

Axis axis_from_zero(double highest) { return {0, highest > 0 ? highest * (1 + kRoom) : 1}; }

Axis axis_around(double lowest, double highest) {
  const double span = highest - lowest;
  const double room = span > 0 ? span * kRoom : std::max(std::fabs(highest) * kRoom, 1e-3);
  return {lowest >= 0 ? std::max(0.0, lowest - room) : lowest - room, highest + room};
}

std::vector<Tick> ticks_of(const Axis& axis, int most) {
  const double span = axis.high - axis.low;
  if (!(span > 0) || !std::isfinite(span)) return {};
  const double step = round_step(span / std::max(most, 1));
  const int decimals = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 6);
  std::vector<Tick> ticks;
  for (double k = std::ceil(axis.low / step - 1e-9); k * step <= axis.high; ++k) {
    ticks.push_back({k * step, grouped(k * step, decimals)});
  }
  return ticks;
}

std::string axis_svg(const Axis& axis, double y, int most) {
  std::string out = fmt::format(R"(<line class="ax" x2="100%" y1="{0}" y2="{0}"/><g class="m">)",
                                short_number(y));
  for (const Tick& tick : ticks_of(axis, most)) {
    out += fmt::format(R"(<text x="{}%" y="{}">{}</text>)", short_number(axis.percent(tick.at)),
                       short_number(y + kTextDrop), tick.text);
  }
  return out + "</g>";
}

}  // namespace assay
