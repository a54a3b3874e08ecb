#include "reports/cold_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/text.h"
#include "reports/tables.h"

namespace assay {
namespace {

constexpr std::string_view kAboutKind =
    "restart: a process was started for the call. unload: the engine gave the model back. sleep: "
    "its weights went to main memory.";
constexpr std::string_view kAboutUnload = "From the request to unload until the model was gone.";
constexpr std::string_view kAboutLoad =
    "As the engine says where the call loads the model, else from the request to load until it "
    "was ready.";
constexpr std::string_view kAboutPrefill =
    "From sending the call to its first text, less a load within it. With a mapped file it has "
    "the reading of pages in it.";
constexpr std::string_view kAboutDecode = "From the first text to the last.";
constexpr std::string_view kAboutOther = "What is left between the other parts.";
constexpr std::string_view kAboutWall =
    "From the request to unload to the end of the answer, without the planned pause of 2 s.";
constexpr std::string_view kAboutCached =
    "How much of the model file was in the page cache just before the load.";
constexpr std::string_view kAboutRead =
    "What the engine's process read from storage until the end of the call.";

std::string mean_text(const LegResult& leg, std::string_view metric) {
  const MetricResult* found = leg.find(metric);
  return found == nullptr ? "-" : metric_text(*found->metric, found->summary.mean);
}

std::string kinds_text(const LegResult& leg) {
  std::vector<std::string> kinds;
  for (const std::string& kind : leg.cold_kinds) kinds.push_back(printable(kind, 40));
  return kinds.empty() ? "-" : join(kinds, ", ");
}

}  // namespace

std::vector<std::string> cold_notes(const ReportModel& model) {
  std::vector<std::string> notes;
  const std::vector<std::string> labels = cell_labels(model.meta);
  for (const LegResult& leg : model.legs) {
    if (leg.cold_notes.empty()) continue;
    const std::string label = leg.cell >= 0 ? labels[static_cast<size_t>(leg.cell)] : leg.cell_id;
    std::string note = fmt::format("cold start of {}, page cache or read bytes: {}", label,
                                   printable(join(leg.cold_notes, "; "), 300));
    if (std::find(notes.begin(), notes.end(), note) == notes.end())
      notes.push_back(std::move(note));
  }
  return notes;
}

std::optional<Table> cold_table(const ReportModel& model) {
  const std::vector<std::string> labels = cell_labels(model.meta);
  Table table;
  table.columns = {{"Cold start", "mean, ms", Align::kLeft},
                   {"calls", ""},
                   {"unload", "", Align::kRight, 0, 0, kAboutUnload},
                   {"+ load", "", Align::kRight, 0, 0, kAboutLoad},
                   {"+ prefill", "", Align::kRight, 0, 0, kAboutPrefill},
                   {"+ decode", "", Align::kRight, 0, 0, kAboutDecode},
                   {"+ other", "", Align::kRight, 0, 0, kAboutOther},
                   {"= wall", "", Align::kRight, 0, 0, kAboutWall},
                   {"cached", "%", Align::kRight, 2, 0, kAboutCached},
                   {"read", "MB", Align::kRight, 3, 0, kAboutRead},
                   {"cold by", "", Align::kLeft, 1, 0, kAboutKind}};
  for (const LegResult& leg : model.legs) {
    const MetricResult* wall = leg.find("cold.wall_ms");
    if (leg.phase != Phase::kCold || wall == nullptr) continue;
    const std::string label = leg.cell >= 0 ? labels[static_cast<size_t>(leg.cell)] : leg.cell_id;
    table.rows.push_back(
        {fmt::format("{} · {}{}", label, leg.prompt_id, leg.marks.empty() ? "" : " !"),
         std::to_string(wall->summary.n), mean_text(leg, "unload_ms"),
         mean_text(leg, "cold.load_ms"), mean_text(leg, "cold.prefill_ms"),
         mean_text(leg, "cold.decode_ms"), mean_text(leg, "cold.other_ms"),
         mean_text(leg, "cold.wall_ms"), mean_text(leg, "page_cache_percent"),
         mean_text(leg, "read_mb"), kinds_text(leg)});
  }
  if (table.rows.empty()) return std::nullopt;
  return table;
}

}  // namespace assay
