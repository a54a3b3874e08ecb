#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/files.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/comparison.h"
#include "cli/exit_codes.h"
#include "cli/named_run.h"
#include "cli/show_run.h"
#include "reports/compare_report.h"
#include "store/state.h"

namespace assay {
namespace {

constexpr size_t kMostRuns = 6;

struct Asked : CompareRequest {
  std::vector<std::string> outputs;
};

Result<double> percent_of(const std::string& text) {
  const std::string_view number = text.ends_with('%')
                                      ? std::string_view(text).substr(0, text.size() - 1)
                                      : std::string_view(text);
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size() || value <= 0 || value >= 100) {
    return fail(Errc::kInvalidArgument,
                fmt::format("--tolerance '{}' is no percentage", printable(text, 40)),
                "give one such as 3 or 2.5%");
  }
  return value / 100;
}

Result<Asked> asked_for(const Invocation& invocation) {
  Asked asked;
  if (invocation.has("tolerance")) {
    const auto tolerance = percent_of(invocation.value("tolerance"));
    if (!tolerance) return fail(tolerance.error());
    asked.tolerance = *tolerance;
  }
  asked.rule_set = invocation.value("rules");
  if (!asked.rule_set.empty() && asked.rule_set != "baseline30" && asked.rule_set != "trend10") {
    return fail(Errc::kInvalidArgument,
                fmt::format("there is no rule set '{}'", printable(asked.rule_set, 40)),
                "rule sets are baseline30 and trend10");
  }
  const auto written = invocation.flags.find("threshold");
  if (written != invocation.flags.end()) {
    for (const std::string& text : written->second) {
      auto threshold = parse_threshold(text);
      if (!threshold) return fail(threshold.error());
      asked.thresholds.push_back(std::move(*threshold));
    }
  }
  const auto outputs = invocation.flags.find("output");
  if (outputs != invocation.flags.end()) asked.outputs = outputs->second;
  for (const std::string& path : asked.outputs) {
    const bool known = path.ends_with(".html") || path.ends_with(".md") || path.ends_with(".json");
    if (known) continue;
    return fail(Errc::kInvalidArgument,
                fmt::format("no comparison is written to '{}'", printable(path)),
                "comparisons are .html, .md and .json");
  }
  asked.by_prompt = invocation.has("by-prompt");
  return asked;
}

/// Source 002's trend over all runs given, told with the last comparison.
void add_trends(const std::vector<LoadedRun>& runs, ComparisonReport& report) {
  std::vector<const LoadedRun*> by_time;
  for (const LoadedRun& run : runs) by_time.push_back(&run);
  std::stable_sort(by_time.begin(), by_time.end(), [](const LoadedRun* a, const LoadedRun* b) {
    return a->model.meta.started_wall_ns < b->model.meta.started_wall_ns;
  });
  report.rule_set = "trend10";
  for (const Cell& cell : by_time.back()->model.meta.cells) {
    std::vector<TrendPoint> points;
    for (const LoadedRun* run : by_time) {
      if (const auto speed = run->model.harness.mean_speed(cell.id)) {
        points.push_back({run->model.meta.run_id, *speed});
      }
    }
    if (auto finding = trend10(cell.id, points)) {
      report.findings.push_back(std::move(*finding));
    } else {
      Finding missing;
      missing.kind = Finding::Kind::kNotComparable;
      missing.cell_id = cell.id;
      missing.metric = "tokens_per_sec.mean";
      missing.n = static_cast<int64_t>(points.size());
      missing.detail =
          fmt::format("a trend needs {} runs, there are {}", kMinTrendRuns, points.size());
      report.findings.push_back(std::move(missing));
    }
  }
}

std::string text_of(const std::vector<ComparisonReport>& reports, bool markdown,
                    const RenderOptions& options) {
  std::string text;
  for (const ComparisonReport& report : reports) {
    if (!text.empty()) text += '\n';
    const Document document = comparison_document(report);
    text += markdown ? markdown_text(document) : console_text(document, options);
  }
  return text;
}

/// What stands in a file, by its extension.
std::string file_of(const std::string& path, const std::vector<ComparisonReport>& reports,
                    const std::vector<LoadedRun>& runs) {
  if (path.ends_with(".json")) return comparison_json(reports);
  if (path.ends_with(".md")) return text_of(reports, true, {});
  std::vector<const ReportModel*> models;
  for (const LoadedRun& run : runs) models.push_back(&run.model);
  return comparison_html(reports, models);
}

}  // namespace

int command_compare(Invocation& invocation) {
  const auto asked = asked_for(invocation);
  if (!asked) return report_failure(asked.error());
  const std::vector<std::string>& names = invocation.arguments.find("RUN")->second;
  if (names.empty() || names.size() > kMostRuns) {
    return report_failure(
        Error(Errc::kInvalidArgument,
              fmt::format("{} run given: a comparison takes 2 to {}", names.size(), kMostRuns),
              "the first is the base: assay compare baseline last"));
  }
  const auto data_dir = data_dir_of(invocation.spec);
  if (!data_dir) return report_failure(data_dir.error());
  const auto state = read_state(*data_dir);
  if (!state) return report_failure(state.error());
  const auto loaded = load_named_runs(invocation.spec, names);
  if (!loaded) return report_failure(loaded.error());
  const std::vector<LoadedRun>& runs = *loaded;
  std::vector<ComparisonReport> reports;
  if (runs.size() == 1) {
    if (!has_variants(runs[0].model.meta)) {
      return report_failure(
          Error(Errc::kInvalidArgument, "one run given: a comparison takes 2 to 6",
                "the first is the base: assay compare baseline last; alone, a run of --ab"));
    }
    reports.push_back(compare_loaded(runs[0].model, "", runs[0].model, *asked, *state));
  }
  for (size_t i = 1; i < runs.size(); ++i) {
    reports.push_back(
        compare_loaded(runs[0].model, runs[0].named.baseline, runs[i].model, *asked, *state));
  }
  if (asked->rule_set == "trend10") add_trends(runs, reports.back());

  for (const std::string& path : asked->outputs) {
    if (auto written = write_file_atomic(path, file_of(path, reports, runs)); !written) {
      return report_failure(written.error());
    }
  }
  if (invocation.spec.json) {
    fmt::print("{}", comparison_json(reports));
  } else if (!invocation.spec.quiet) {
    fmt::print("{}", text_of(reports, false, render_options(invocation.spec)));
  }
  const bool failed = std::any_of(reports.begin(), reports.end(),
                                  [](const ComparisonReport& report) { return report.failed(); });
  if (failed) return exit_code::kRegression;
  const bool empty =
      std::any_of(reports.begin(), reports.end(),
                  [](const ComparisonReport& report) { return report.comparison.empty(); });
  return empty ? exit_code::kFailed : exit_code::kDone;
}

}  // namespace assay
