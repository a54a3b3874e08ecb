#include "engines/prometheus.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace assay {
namespace {

/// `name{labels} value [time]` or `name value [time]`; absent for other lines.
std::optional<double> value_of(std::string_view line, std::string_view name) {
  if (line.substr(0, name.size()) != name) return std::nullopt;
  line.remove_prefix(name.size());
  if (!line.empty() && line.front() == '{') {
    const size_t end = line.rfind('}');
    if (end == std::string_view::npos) return std::nullopt;
    line.remove_prefix(end + 1);
  } else if (line.empty() || line.front() != ' ') {
    return std::nullopt;  // A longer name.
  }
  line = trim(line);
  double value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<double> metric_sum(std::string_view text, std::string_view name) {
  std::optional<double> sum;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (const auto value = value_of(text.substr(0, end), name)) sum = sum.value_or(0) + *value;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return sum;
}

}  // namespace assay
