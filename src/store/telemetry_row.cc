#include "store/telemetry_row.h"

#include <charconv>
#include <cmath>
#include <system_error>

namespace assay {
namespace {

/// One value of a row: a number or `null`. False when it is neither.
bool take_value(std::string_view& rest, std::optional<double>& value) {
  value.reset();
  if (rest.rfind("null", 0) == 0) {
    rest.remove_prefix(4);
    return true;
  }
  double number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc() || !std::isfinite(number)) return false;
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  value = number;
  return true;
}

}  // namespace

std::optional<std::vector<std::optional<double>>> parse_telemetry_row(std::string_view line) {
  if (line.size() < 2 || line.front() != '[' || line.back() != ']') return std::nullopt;
  std::string_view rest = line.substr(1, line.size() - 2);
  std::vector<std::optional<double>> values;
  while (values.size() < kMaxTelemetryColumns) {
    std::optional<double> value;
    if (!take_value(rest, value)) return std::nullopt;
    values.push_back(value);
    if (rest.empty()) return values;
    if (rest.front() != ',') return std::nullopt;
    rest.remove_prefix(1);
  }
  return std::nullopt;
}

}  // namespace assay
