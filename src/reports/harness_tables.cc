#include "reports/harness_tables.h"

#include <fmt/format.h>

#include "base/text.h"
#include "reports/tables.h"

namespace assay {
namespace {

std::string interval_text(const std::optional<Interval>& ci, int decimals) {
  return ci ? fmt::format("{:+.{}f} … {:+.{}f}", ci->low, decimals, ci->high, decimals) : "-";
}

std::string share_interval(const std::optional<Difference>& difference) {
  if (!difference) return "-";
  const Interval ci = difference->ci95();
  return interval_text(Interval{ci.low * 100, ci.high * 100}, 1);
}

}  // namespace

std::optional<Table> routing_table(const ReportModel& model) {
  if (model.routing.empty()) return std::nullopt;
  Table table;
  table.columns = {{"Routing", "", Align::kLeft, 0, 0,
                    "Warm calls in turn directly and by the router: the medians' difference."},
                   {"Prompt", "", Align::kLeft},
                   {"Metric", "", Align::kLeft},
                   {"direct", "ms", Align::kRight, 1},
                   {"routed", "ms"},
                   {"overhead", "ms"},
                   {"95 % int.", "ms", Align::kRight, 2},
                   {"change", ""},
                   {"95 % int.", "%"},
                   {"pairs", "", Align::kRight, 3}};
  for (const RoutingOverhead& row : model.routing) {
    table.rows.push_back({row.cell_id, row.prompt_id, std::string(row.metric->label),
                          metric_text(*row.metric, row.direct),
                          metric_text(*row.metric, row.routed),
                          fmt::format("{:+.1f}", row.overhead), interval_text(row.ci95, 1),
                          percent_text(row.routed / row.direct - 1), share_interval(row.difference),
                          fmt::format("{}", row.pairs)});
  }
  return table;
}

std::optional<Table> preflight_table(const ReportModel& model) {
  if (model.meta.preflight.empty()) return std::nullopt;
  Table table;
  table.columns = {
      {"Check", "", Align::kLeft}, {"Result", "", Align::kLeft}, {"Found", "", Align::kLeft}};
  for (const PreflightCheck& check : model.meta.preflight) {
    const std::string result = check.ok ? "✓ ok" : check.decides ? "✕ failed" : "no, only told";
    table.rows.push_back({check.name, result, check.detail});
  }
  return table;
}

std::vector<std::pair<std::string, std::string>> environment_facts(const Environment& e) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto add = [&](const char* name, const char* member, const std::string& value) {
    const auto why = e.missing.find(member);
    if (!value.empty()) {
      facts.emplace_back(name, value);
    } else if (why != e.missing.end()) {
      facts.emplace_back(name, "unknown: " + why->second);
    }
  };
  const auto bytes = [](const std::optional<int64_t>& n) { return n ? bytes_text(*n) : ""; };
  add("Processor", "cpu_model", e.cpu_model.value_or(""));
  add("Logical processors", "cores", e.cores ? fmt::format("{}", *e.cores) : "");
  add("Frequency governor", "governor", e.governor.value_or(""));
  add("Memory", "memory_bytes", bytes(e.memory_bytes));
  add("Kernel", "kernel", e.kernel.value_or(""));
  add("System", "os", e.os.value_or(""));
  if (e.cpu_limit) add("Processors allowed", "cpu_limit", fmt::format("{:g}", *e.cpu_limit));
  add("Memory allowed", "", bytes(e.memory_limit_bytes));
  std::vector<std::string> gpus;
  for (const Gpu& gpu : e.gpus) {
    gpus.push_back(gpu.driver.empty() ? gpu.name : fmt::format("{} ({})", gpu.name, gpu.driver));
  }
  add("Graphics processor", "gpus", join(gpus, ", "));
  add("Compiler", "compiler", e.compiler);
  return facts;
}

std::vector<std::string> off_reference_texts(const ReportModel& model) {
  std::vector<std::string> texts;
  for (const LegResult& leg : model.legs) {
    for (const LegMark& mark : leg.marks) {
      if (mark.code != "off_reference") continue;
      texts.push_back(
          fmt::format("{}: {} {}: {}", mark.code, leg.cell_id, leg.prompt_id, mark.detail));
    }
  }
  return texts;
}

}  // namespace assay
