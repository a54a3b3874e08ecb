#include "base/quantity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <string>

#include "base/text.h"

namespace assay {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

/// A positive number and its unit, white space between them or not.
Result<double> parse_scaled(std::string_view text, std::span<const Unit> units,
                            std::string_view what) {
  const std::string_view body = trim(text);
  double value = 0;
  const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), value);
  const std::string unit = to_lower(trim(body.substr(static_cast<size_t>(end - body.data()))));
  const auto known =
      std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == unit; });
  if (error != std::errc() || known == units.end() || !(value > 0) || value > 1e9) {
    return fail(Errc::kInvalidArgument, fmt::format("'{}' is no {}", printable(text, 40), what));
  }
  return value * known->factor;
}

}  // namespace

Result<int64_t> parse_size(std::string_view text) {
  static constexpr std::array kUnits{Unit{"", 1e9},
                                     Unit{"gb", 1e9},
                                     Unit{"g", 1e9},
                                     Unit{"gib", 1024.0 * 1024 * 1024},
                                     Unit{"mb", 1e6},
                                     Unit{"m", 1e6},
                                     Unit{"mib", 1024.0 * 1024},
                                     Unit{"tb", 1e12}};
  const auto bytes = parse_scaled(text, kUnits, "size");
  if (!bytes) return fail(bytes.error());
  return static_cast<int64_t>(std::llround(*bytes));
}

Result<int64_t> parse_parameters(std::string_view text) {
  static constexpr std::array kUnits{Unit{"b", 1e9}, Unit{"m", 1e6}, Unit{"t", 1e12}};
  const auto count = parse_scaled(text, kUnits, "number of parameters");
  if (!count) return fail(count.error());
  return static_cast<int64_t>(std::llround(*count));
}

}  // namespace assay
