#include "stats/threshold.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <map>

#include "base/text.h"
#include "stats/metrics.h"

namespace assay {
namespace {

constexpr std::string_view kSuccessRate = "success_rate";

struct Figure {
  std::string_view name;
  std::optional<double> Summary::*member;
};
constexpr std::array kFigures{Figure{"mean", &Summary::mean}, Figure{"p50", &Summary::p50},
                              Figure{"p90", &Summary::p90},   Figure{"p95", &Summary::p95},
                              Figure{"p99", &Summary::p99},   Figure{"min", &Summary::min},
                              Figure{"max", &Summary::max}};

const Figure* find_figure(std::string_view name) {
  for (const Figure& figure : kFigures) {
    if (figure.name == name) return &figure;
  }
  return nullptr;
}

struct Sign {
  std::string_view text;
  Threshold::Is is;
};
/// The longer ones first.
constexpr std::array kSigns{Sign{"<=", Threshold::Is::kAtMost}, Sign{">=", Threshold::Is::kAtLeast},
                            Sign{"<", Threshold::Is::kBelow}, Sign{">", Threshold::Is::kAbove}};

bool keeps(const Threshold& t, double value) {
  switch (t.is) {
    case Threshold::Is::kBelow:
      return value < t.limit;
    case Threshold::Is::kAtMost:
      return value <= t.limit;
    case Threshold::Is::kAbove:
      return value > t.limit;
    case Threshold::Is::kAtLeast:
      return value >= t.limit;
  }
  return false;
}

std::optional<double> value_of(const Threshold& t, const LegResult& leg) {
  if (t.metric == kSuccessRate) {
    const int64_t n = leg.ok + leg.failed;
    if (n == 0) return std::nullopt;
    return static_cast<double>(leg.ok) / static_cast<double>(n);
  }
  const MetricResult* result = leg.find(t.metric);
  if (result == nullptr) return std::nullopt;
  return result->summary.*(find_figure(t.figure)->member);
}

Result<Threshold> with_left_side(Threshold t, std::string_view left) {
  if (left == kSuccessRate) {
    t.metric = left;
    return t;
  }
  const size_t point = left.rfind('.');
  const std::string_view name = left.substr(0, point);
  if (point == std::string_view::npos || find_figure(left.substr(point + 1)) == nullptr) {
    return fail(Errc::kInvalidArgument,
                fmt::format("threshold '{}' names no figure", printable(t.text, 80)),
                "write METRIC.FIGURE: the figures are mean, p50, p90, p95, p99, min and max");
  }
  if (find_metric(name) == nullptr) {
    return fail(Errc::kInvalidArgument,
                fmt::format("there is no metric '{}' for threshold '{}'", printable(name, 40),
                            printable(t.text, 80)),
                "'assay help metrics' lists them; success_rate is one too");
  }
  t.metric = name;
  t.figure = left.substr(point + 1);
  return t;
}

}  // namespace

Result<Threshold> parse_threshold(std::string_view text) {
  for (const Sign& sign : kSigns) {
    const size_t at = text.find(sign.text);
    if (at == std::string_view::npos) continue;
    Threshold t;
    t.text = text;
    t.is = sign.is;
    const std::string_view number = trim(text.substr(at + sign.text.size()));
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), t.limit);
    if (error != std::errc() || end != number.data() + number.size()) {
      return fail(Errc::kInvalidArgument, fmt::format("threshold '{}' has no number behind '{}'",
                                                      printable(text, 80), sign.text));
    }
    return with_left_side(std::move(t), trim(text.substr(0, at)));
  }
  return fail(Errc::kInvalidArgument,
              fmt::format("threshold '{}' compares nothing", printable(text, 80)),
              "write one such as 'ttft_ms.p50<300' or 'decode_tps.mean>=20'");
}

std::vector<Miss> check_threshold(const Threshold& threshold, std::span<const LegResult> legs) {
  std::vector<Miss> misses;
  std::map<std::string, bool, std::less<>> has_figure;
  for (const LegResult& leg : legs) {
    if (leg.phase != Phase::kWarm && leg.phase != Phase::kMeasure) continue;
    if (leg.ok + leg.failed == 0) continue;
    const auto value = value_of(threshold, leg);
    has_figure[leg.cell_id] |= value.has_value();
    if (value && !keeps(threshold, *value)) misses.push_back({leg.cell_id, leg.prompt_id, value});
  }
  for (const auto& [cell_id, has] : has_figure) {
    if (!has) misses.push_back({cell_id, "", std::nullopt});
  }
  return misses;
}

}  // namespace assay
