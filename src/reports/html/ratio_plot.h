#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stats/interval.h"

namespace assay {

/// One figure's change against the base, as a share: 0.2 is 20 % more.
struct RatioRow {
  std::string label;
  std::string value;  ///< The change, its interval and the verdict, as the tables print them.
  std::optional<double> change;
  std::optional<Interval> interval;
  std::optional<double> noise;  ///< Changes up to this are taken for noise on this machine.
  bool settled = false;         ///< better, worse or same: a dot; else a ring.
};

/// Rows that belong together under a heading; it is left out when empty.
struct RatioGroup {
  std::string title;
  std::vector<RatioRow> rows;
};

/// The scale of the plot: positions are percents of its width and logarithmic in new / base.
struct RatioAxis {
  double low = -0.1;  ///< ln(new / base) at the left end.
  double high = 0.1;
  [[nodiscard]] double percent(double change) const;  ///< Held within 0 to 100.
  [[nodiscard]] bool holds(double change) const;
};
/// As wide as the rows' intervals and four times the tolerance, at most a factor kMostFactor either
/// way: what lies beyond is drawn at the edge with an arrow.
RatioAxis ratio_axis(const std::vector<RatioGroup>& groups, double tolerance);
inline constexpr double kMostFactor = 8;

/// Changes with their intervals on one logarithmic axis around no change: the tolerance shaded, the
/// noise floor between dashes. Its text is HTML and says all that the picture does. Empty without a
/// row.
std::string ratio_plot(const std::string& title, const std::string& note,
                       const std::vector<RatioGroup>& groups, double tolerance);

}  // namespace assay
