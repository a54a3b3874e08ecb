#include "store/telemetry_relay.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "store/telemetry_row.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

bool is_of_type(const Json& json, std::string_view type) {
  if (!json.is_object()) return false;
  const auto found = json.find("type");
  return found != json.end() && found->is_string() && found->get_ref<const std::string&>() == type;
}

}  // namespace

std::string clock_line(const ClockAnswer& answer) {
  return fmt::format(R"({{"type":"clock","id":{},"at_ns":{}}})", answer.id, answer.at_ns);
}

std::optional<ClockAnswer> parse_clock_line(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!is_of_type(json, "clock")) return std::nullopt;
  const auto id = json.find("id");
  const auto at = json.find("at_ns");
  if (id == json.end() || at == json.end()) return std::nullopt;
  if (!id->is_number_integer() || !at->is_number_integer()) return std::nullopt;
  constexpr int64_t kMost = int64_t{1} << 61;  // Differences of two stay in range.
  const ClockAnswer answer{id->get<int64_t>(), at->get<int64_t>()};
  if (answer.at_ns < 0 || answer.at_ns > kMost) return std::nullopt;
  return answer;
}

std::optional<std::string> relayed_header(std::string_view line, const TelemetryStream& as,
                                          int64_t number, size_t& columns) {
  Json json = Json::parse(line, nullptr, false);
  if (!is_of_type(json, "telemetry")) return std::nullopt;
  const auto names = json.find("columns");
  if (names == json.end() || !names->is_array()) return std::nullopt;
  if (names->size() > kMaxTelemetryColumns) return std::nullopt;
  columns = names->size();
  json["stream"] = number;
  json["node"] = as.node;
  json["cells"] = as.cells;
  json["clock_bound_ms"] = as.clock_bound_ms ? Json(*as.clock_bound_ms) : Json(nullptr);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::string> relayed_row(std::string_view line, size_t columns, int64_t number,
                                       double shift_ms) {
  const auto values = parse_telemetry_row(line);
  if (!values || values->size() != columns + 2 || !(*values)[1]) return std::nullopt;
  const size_t rest = line.find(',', line.find(',') + 1);
  return fmt::format("[{},{:.1f}{}", number, *(*values)[1] + shift_ms,
                     rest == std::string_view::npos ? "]" : line.substr(rest));
}

}  // namespace assay
