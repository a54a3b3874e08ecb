#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/document.h"
#include "stats/legs.h"

namespace assay {

/// Shapes tell marks apart, never colour alone.
enum class Mark : uint8_t { kDot, kRing, kDiamond };

struct PlotRow {
  struct Point {
    double at = 0;
    Mark mark = Mark::kDot;
  };
  std::string label;
  std::string value;  ///< The figures as the tables print them; also why there are none.
  std::vector<Point> points;
  std::optional<Interval> interval;
};

/// One line per row on a common axis from zero: figures with their intervals. Its text is HTML, so
/// that it can be read and heard without the picture. Empty without any point.
std::string interval_plot(const std::string& title, const std::string& note,
                          const std::vector<PlotRow>& rows);

/// How a metric's values lie: a histogram from kMinForHistogram values on, a dot a call below.
/// Empty without values.
std::string distribution_plot(const MetricResult& result);

/// What one level of concurrency gave.
struct LoadPoint {
  int64_t concurrency = 1;
  double ttft_ms = 0;
  double tps = 0;
  std::string run = {};  ///< Which of several runs; empty for one.
};

/// Throughput over latency, one mark a level of concurrency. Empty below two levels.
std::string load_plot(const std::string& title, std::vector<LoadPoint> points);

}  // namespace assay
