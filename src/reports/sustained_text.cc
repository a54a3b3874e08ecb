#include "reports/sustained_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "reports/tables.h"
#include "stats/machine_samples.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

std::string reason_text(std::string_view missing) {
  if (missing == "resumed") return "the run was interrupted, and the machine cooled meanwhile";
  if (missing == "no_token_count") return "calls have no token count";
  if (missing == "no_tokens") return "no token came in the first minute";
  return "the leg was too short";
}

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json device_json(const DeviceCourse& course) {
  return {
      {"device", course.device},
      {"first",
       {{"temperature_c", number(course.temperature_before_c)},
        {"mhz", number(course.mhz_before)}}},
      {"last",
       {{"temperature_c", number(course.temperature_after_c)}, {"mhz", number(course.mhz_after)}}}};
}

/// `GPU 0 61 to 84 °C, 1,900 to 1,300 MHz`
std::string device_text(const DeviceCourse& course) {
  std::vector<std::string> parts;
  const auto add = [&](const std::optional<double>& first, const std::optional<double>& last,
                       std::string_view unit) {
    if (!first || !last) return;
    parts.push_back(fmt::format("{} to {} {}", grouped(*first, 0), grouped(*last, 0), unit));
  };
  add(course.temperature_before_c, course.temperature_after_c, "°C");
  add(course.mhz_before, course.mhz_after, "MHz");
  return fmt::format("{} {}", course.device, join(parts, ", "));
}

}  // namespace

std::string sustained_text(const Sustained& s) {
  if (!s.missing.empty()) return "no sustained figure: " + reason_text(s.missing);
  const bool minutes = s.window_s >= 59.5;
  const std::string window = minutes ? "minute" : fmt::format("{:.0f} s", s.window_s);
  std::string text =
      fmt::format("sustained over {:.1f} min: {} tok/s in the first {}, {} in the last: {:.2f}x",
                  s.seconds / 60, grouped(s.first.tps.value_or(0), 1), window,
                  grouped(s.last.tps.value_or(0), 1), s.ratio.value_or(0));
  if (s.ratio_ci95)
    text += fmt::format(" [{:.2f} … {:.2f}]", s.ratio_ci95->low, s.ratio_ci95->high);
  for (size_t i = 0; i < std::min(s.devices.size(), kMostDevices); ++i) {
    text += "; " + device_text(s.devices[i]);
  }
  return text;
}

std::vector<std::string> sustained_notes(const ReportModel& model) {
  std::vector<std::string> notes;
  const std::vector<std::string> labels = cell_labels(model.meta);
  for (const LegResult& leg : model.legs) {
    if (!leg.sustained) continue;
    std::string place = leg.prompt_id;
    if (labels.size() > 1 && leg.cell >= 0) {
      place += " on " + labels[static_cast<size_t>(leg.cell)];
    }
    std::string text = sustained_text(*leg.sustained);
    if (leg.sustained->missing.empty() && !leg.marks.empty()) {
      std::vector<std::string> codes;
      for (const LegMark& mark : leg.marks) codes.emplace_back(mark.code);
      text += " ! " + join(codes, ", ");
    }
    notes.push_back(fmt::format("{}: {}", place, text));
  }
  return notes;
}

Json sustained_json(const std::optional<Sustained>& sustained) {
  if (!sustained) return nullptr;
  const Sustained& s = *sustained;
  if (!s.missing.empty()) return {{"missing", s.missing}};
  const Json ci = s.ratio_ci95 ? Json::array({s.ratio_ci95->low, s.ratio_ci95->high}) : Json();
  Json devices = Json::array();
  for (const DeviceCourse& course : s.devices) devices.push_back(device_json(course));
  return {{"seconds", s.seconds},
          {"window_s", s.window_s},
          {"first", {{"tps", number(s.first.tps)}}},
          {"last", {{"tps", number(s.last.tps)}}},
          {"ratio", number(s.ratio)},
          {"ratio_ci95", ci},
          {"devices", std::move(devices)}};
}

}  // namespace assay
