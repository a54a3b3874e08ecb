#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "reports/compare_words.h"
#include "reports/html/compare_parts.h"
#include "reports/html/text.h"

namespace assay {
namespace {

constexpr int64_t kRestarts = 3;
constexpr size_t kMaxExplained = 3;

template <class Test>
bool any_cell(const Reports& reports, Test test) {
  return std::any_of(reports.begin(), reports.end(), [&](const ComparisonReport& report) {
    return std::any_of(report.comparison.cells.begin(), report.comparison.cells.end(), test);
  });
}

bool lacks_comparison(const ComparedCell& cell) { return !cell.not_comparable.empty(); }

/// Calls a side that would settle the gate metrics that are unclear, and those there are now.
struct Needed {
  int64_t now = 0;
  int64_t then = 0;
};
Needed needed_by(const ComparisonReport& report) {
  Needed needed;
  for (const ComparedCell& cell : report.comparison.cells) {
    if (cell.by_restart) continue;  // There the unit is a load: its own step says so.
    for (const ComparedMetric& row : cell.metrics) {
      if (!row.gate || !row.more || !row.difference) continue;
      const int64_t now = std::min(row.difference->base_n, row.difference->new_n);
      if (now + *row.more > needed.then) needed = {now, now + *row.more};
    }
  }
  return needed;
}

/// Measures both runs again with other options, then compares them. Empty when a command cannot be
/// copied.
std::string both_again(const ComparisonReport& report, const Needed& needed,
                       std::vector<OptionValue> changed) {
  const auto with_budget = [&](const RunMeta& meta) {
    std::vector<OptionValue> options = changed;
    if (meta.budget_s && needed.now > 0) {
      const double times = static_cast<double>(needed.then) / static_cast<double>(needed.now);
      options.push_back({"budget", fmt::format("{:.0f}s", std::ceil(*meta.budget_s * times))});
    }
    return repeat_command(meta, options);
  };
  const std::string base = with_budget(report.base);
  const std::string now = with_budget(report.now);
  if (base.empty() || now.empty()) return {};
  if (of_one_run(report)) return fmt::format("assay compare $({} --quiet)", base);
  return fmt::format("assay compare $({} --quiet) $({} --quiet)", base, now);
}

/// The first gate metrics that are worse, by name.
std::vector<std::string_view> worse_metrics(const ComparisonReport& report) {
  std::vector<std::string_view> names;
  for (const ComparedCell& cell : report.comparison.cells) {
    for (const ComparedMetric& row : cell.metrics) {
      const bool known = std::find(names.begin(), names.end(), row.metric->name) != names.end();
      if (row.gate && row.verdict == Verdict::kWorse && !known) names.push_back(row.metric->name);
    }
  }
  if (names.size() > kMaxExplained) names.resize(kMaxExplained);
  return names;
}

void add_steps(const ComparisonReport& report, std::vector<NextStep>& steps) {
  const Needed needed = needed_by(report);
  if (needed.then > 0) {
    const std::string n = std::to_string(needed.then);
    const std::string command = both_again(report, needed, {{"repetitions", n}});
    steps.push_back({fmt::format("{} is not settled: measure both again with {} repetitions, then "
                                 "compare these.",
                                 new_label(report), n),
                     command});
  }
  for (const std::string_view metric : worse_metrics(report)) {
    steps.push_back({fmt::format("See how {} comes about in {}.", metric, new_label(report)),
                     fmt::format("assay explain {} {}", metric, new_label(report))});
  }
  steps.push_back({fmt::format("Look at every leg and call of {}.", new_label(report)),
                   fmt::format("assay report {0} -o {0}.html", new_label(report))});
}

/// Where a comparison is within-run only: how to learn what identical runs do here.
void add_noise_steps(const Reports& reports, std::vector<NextStep>& steps) {
  const bool within_run = any_cell(reports, [](const ComparedCell& cell) {
    return cell.not_comparable.empty() && !scope_text(cell).empty();
  });
  const RunMeta& base = reports.front().base;
  std::string again = repeat_command(base);
  if (!within_run || again.empty()) return;
  const bool managed = std::any_of(base.cells.begin(), base.cells.end(),
                                   [](const Cell& cell) { return cell.managed; });
  if (!managed) {
    steps.push_back(
        {"This is within-run only: measure the base again, and see how far two runs of "
         "the same lie apart.",
         fmt::format("assay compare {} $({} --quiet)", base.run_id.substr(0, 8), again)});
    return;
  }
  steps.push_back(
      {"This is within-run only: load the model three times on both sides, then the "
       "load is the unit.",
       both_again(reports.front(), {}, {{"restarts", std::to_string(kRestarts)}})});
  again.replace(0, std::string_view("assay run").size(), "assay doctor --noise");
  steps.push_back(
      {"Or find out how far identical loads lie apart on this machine; later "
       "comparisons use it.",
       again});
}

std::string compare_command(const Reports& reports) {
  std::string command = "assay compare " + reports.front().base.run_id.substr(0, 8);
  for (const ComparisonReport& report : reports) {
    if (!of_one_run(report)) command += " " + new_label(report);
  }
  return command;
}

/// What was counted as one measurement, and how many of these each side has at least.
std::string unit_text(const ComparedCell& cell) {
  int64_t base = 0;
  int64_t now = 0;
  for (const ComparedMetric& row : cell.metrics) {
    if (!row.difference) continue;
    base = base == 0 ? row.difference->base_n : std::min(base, row.difference->base_n);
    now = now == 0 ? row.difference->new_n : std::min(now, row.difference->new_n);
  }
  std::string text =
      cell.by_restart ? "the unit is a load of the model: what calls of one load share is no noise"
                      : "the unit is a call";
  if (cell.interleaved) text += ", in pairs of repetitions that were measured in turns";
  if (base > 0) text += fmt::format("; {} of the base against {} of the new run", base, now);
  return text;
}

std::string noise_text(const ComparedCell& cell) {
  std::string text;
  for (const ComparedMetric& row : cell.metrics) {
    if (!row.noise_floor) continue;
    text += fmt::format("{}{} {:.1f} %", text.empty() ? "" : ", ", row_label(row),
                        *row.noise_floor * 100);
  }
  return text;
}

/// Lines that several cells share stand once, with the cells' names.
struct Said {
  std::string text;
  std::vector<std::string> of;
};
void say(std::string text, const std::string& of, std::vector<Said>& all) {
  if (text.empty()) return;
  for (Said& said : all) {
    if (said.text != text) continue;
    if (std::find(said.of.begin(), said.of.end(), of) == said.of.end()) said.of.push_back(of);
    return;
  }
  all.push_back({std::move(text), {of}});
}

}  // namespace

std::string certainty_html(const Reports& reports) {
  std::vector<Said> all;
  for (const ComparisonReport& report : reports) {
    for (const ComparedCell& cell : report.comparison.cells) {
      if (!cell.not_comparable.empty()) continue;
      std::string of = cell_label(report, cell);
      if (reports.size() > 1) of += " · " + new_label(report);
      say(unit_text(cell), of, all);
      say(scope_text(cell), of, all);
      say(detectable_text(cell), of, all);
      if (const std::string noise = noise_text(cell); !noise.empty()) {
        say("noise floor of this machine: " + noise + "; twice that counts as no change", of, all);
      }
      for (const std::string& warning : cell.warnings) say(warning, of, all);
    }
  }
  if (all.empty()) return {};
  const size_t cells = cells_across(reports).size() * reports.size();
  std::string out = "<ul>\n";
  for (const Said& said : all) {
    const std::string of =
        said.of.size() == cells ? "" : fmt::format(" <i>({})</i>", html_text(join(said.of, ", ")));
    out += fmt::format("<li>{}{}</li>\n", html_text(said.text), of);
  }
  return out +
         "</ul>\n<p>The exit code is 3 when a gate metric (TTFT, output speed, E2E latency) is "
         "worse and its p, adjusted by Holm over all of them, is at most 5 %; or when a threshold "
         "is missed.</p>\n";
}

std::vector<NextStep> comparison_steps(const Reports& reports) {
  std::vector<NextStep> steps;
  std::vector<std::string> missing;
  for (const ComparisonReport& report : reports) {
    const auto& cells = report.comparison.cells;
    if (std::any_of(cells.begin(), cells.end(), lacks_comparison))
      missing.push_back(new_label(report));
  }
  const std::string again = repeat_command(reports.front().base);
  if (!missing.empty() && !again.empty()) {
    steps.push_back({fmt::format("Not all of {} can be compared: ask what the base was asked, with "
                                 "the new run's target and models.",
                                 join(missing, ", ")),
                     again});
  }
  for (const ComparisonReport& report : reports) add_steps(report, steps);
  add_noise_steps(reports, steps);
  steps.push_back({"The same in the terminal, each prompt for itself.",
                   compare_command(reports) + " --by-prompt"});
  steps.push_back({"The same for programs.", compare_command(reports) + " -o compare.json"});
  const bool no_loss = !any_cell(reports, [](const ComparedCell& cell) {
    const CellVerdict verdict = cell_verdict(cell);
    return verdict != CellVerdict::kSame && verdict != CellVerdict::kBetter;
  });
  if (no_loss && reports.size() == 1) {
    steps.push_back({"Take the new run for the base from now on.",
                     "assay baseline set " + new_label(reports.front())});
  }
  return steps;
}

}  // namespace assay
