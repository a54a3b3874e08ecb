#include "reports/sustained_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "reports/tables.h"

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

Json window_json(const SustainedWindow& window) {
  return {{"tps", number(window.tps)},
          {"temperature_c", number(window.temperature_c)},
          {"mhz", number(window.mhz)}};
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
  const auto add = [&](const std::optional<double>& first, const std::optional<double>& last,
                       std::string_view unit) {
    if (!first || !last) return;
    text += fmt::format(", {} to {} {}", grouped(*first, 0), grouped(*last, 0), unit);
  };
  add(s.first.temperature_c, s.last.temperature_c, "°C");
  add(s.first.mhz, s.last.mhz, "MHz");
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
    notes.push_back(fmt::format("{}: {}", place, sustained_text(*leg.sustained)));
  }
  return notes;
}

Json sustained_json(const std::optional<Sustained>& sustained) {
  if (!sustained) return nullptr;
  const Sustained& s = *sustained;
  if (!s.missing.empty()) return {{"missing", s.missing}};
  const Json ci = s.ratio_ci95 ? Json::array({s.ratio_ci95->low, s.ratio_ci95->high}) : Json();
  return {{"seconds", s.seconds},          {"window_s", s.window_s},
          {"first", window_json(s.first)}, {"last", window_json(s.last)},
          {"ratio", number(s.ratio)},      {"ratio_ci95", ci}};
}

}  // namespace assay
