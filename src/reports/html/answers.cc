#include "reports/html/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "reports/headcount_table.h"
#include "reports/sustained_text.h"
#include "reports/tables.h"

namespace assay {
namespace {

constexpr double kMostTimes = 50;

std::string speed_text(const CellSummary& cell) {
  return with_interval(*find_metric("decode_tps"), cell.tg_tps, cell.tg_ci95,
                       cell.estimated_tokens ? Counts::kEstimated : Counts::kExact) +
         " tok/s";
}

bool overlap(const CellSummary& best, const CellSummary& other) {
  return best.tg_ci95 && other.tg_ci95 && best.tg_ci95->low <= other.tg_ci95->high;
}

/// As the table of cells says it.
std::string times_text(const CellSummary& best, const CellSummary& other) {
  return fmt::format("{:.2f}x slower", *best.tg_tps / *other.tg_tps);
}

/// How sure it is that `best` is faster than `second`.
std::string certainty(const CellSummary& best, const CellSummary& second) {
  if (!best.tg_ci95 || !second.tg_ci95) {
    const bool first = !best.tg_ci95;
    return fmt::format("How sure that is cannot be said: the {} has no interval: {}.",
                       first ? "first" : "second",
                       no_interval_text(first ? best.tg_no_ci95 : second.tg_no_ci95));
  }
  if (!overlap(best, second)) {
    return "Their 95 % intervals do not touch: within this run the difference is real. Another run "
           "of the same can differ by more than these intervals.";
  }
  const double apart = *best.tg_tps - *second.tg_tps;
  const double half = (*best.tg_tps - best.tg_ci95->low) + (second.tg_ci95->high - *second.tg_tps);
  const double times = apart > 0 ? std::ceil(std::pow(half / apart, 2)) : kMostTimes + 1;
  if (times > kMostTimes) return "Their 95 % intervals overlap almost wholly.";
  return fmt::format("Their 95 % intervals overlap; about {:.0f} times as many calls would tell.",
                     times);
}

std::vector<std::string> compared(const ReportModel& model) {
  const std::vector<std::string> labels = cell_labels(model.meta);
  std::vector<const CellSummary*> cells = best_first(model);
  std::erase_if(cells, [](const CellSummary* cell) { return !cell->tg_tps; });
  if (cells.empty()) return {"No cell has a speed: nothing can be compared."};
  const auto named = [&](const CellSummary& cell) {
    return fmt::format("{} ({})", labels[static_cast<size_t>(cell.cell)], speed_text(cell));
  };
  std::vector<std::string> sentences;
  const CellSummary& best = *cells.front();
  if (cells.size() == 1) sentences.push_back(fmt::format("Only {} has a speed.", named(best)));
  if (cells.size() > 1) {
    const CellSummary& second = *cells[1];
    sentences.push_back(
        overlap(best, second)
            ? fmt::format("Which is fastest is unclear: {} or {}.", named(best), named(second))
            : fmt::format("{} is the fastest; next is {}, {}.", named(best), named(second),
                          times_text(best, second)));
    sentences.push_back(certainty(best, second));
  }
  if (cells.size() > 2) {
    const CellSummary& last = *cells.back();
    sentences.push_back(fmt::format("The slowest of {} is {}, {} than the first{}.", cells.size(),
                                    named(last), times_text(best, last),
                                    overlap(best, last) ? "; even these overlap" : ""));
  }
  if (cells.size() < model.cells.size()) {
    sentences.push_back(fmt::format("{} of {} cells have no speed: see failures and skips.",
                                    model.cells.size() - cells.size(), model.cells.size()));
  }
  return sentences;
}

/// When text begins, for each state of the prompt's prefix that was seen.
std::string first_text(const CellSummary& cell) {
  std::vector<std::string> parts;
  const auto add = [&](std::optional<double> value, int64_t calls, std::string_view state) {
    if (!value) return;
    parts.push_back(fmt::format("{} ms{} (median, {} {})", median_cell(value, calls).text, state,
                                calls, calls == 1 ? "call" : "calls"));
  };
  add(cell.ttft_fresh_ms, cell.ttft_fresh_calls, " on a fresh prompt");
  add(cell.ttft_reused_ms, cell.ttft_reused_calls, " on a reused one");
  add(cell.ttft_unknown_ms, cell.ttft_unknown_calls, "");
  return parts.empty() ? std::string()
                       : fmt::format("First text comes after {}.", join(parts, ", "));
}

std::vector<std::string> of_one(const ReportModel& model) {
  const CellSummary& cell = model.cells.front();
  const std::string label = cell_labels(model.meta).front();
  if (cell.ok == 0) return {fmt::format("{}: {}.", label, nothing_measured(cell))};
  std::vector<std::string> sentences{cell.tg_tps
                                         ? fmt::format("{} generates {}.", label, speed_text(cell))
                                         : fmt::format("{} answered, but gives no speed.", label)};
  const std::string first = first_text(cell);
  if (!first.empty()) sentences.push_back(first);
  if (cell.tg_tps && !cell.tg_ci95) {
    sentences.push_back(
        fmt::format("No interval for the speed: {}.", no_interval_text(cell.tg_no_ci95)));
  } else if (cell.tg_ci95) {
    sentences.emplace_back(
        "± is a 95 % interval of this run; another run of the same can differ "
        "by more.");
  }
  return sentences;
}

}  // namespace

std::vector<std::string> answers_of(const ReportModel& model) {
  std::vector<std::string> sentences;
  if (model.cells.size() == 1) sentences = of_one(model);
  if (model.cells.size() > 1) sentences = compared(model);
  for (std::string& text : headcount_texts(model)) sentences.push_back("Headcount: " + text + ".");
  for (std::string& text : sustained_notes(model)) sentences.push_back(std::move(text) + ".");
  if (!model.unreliable.empty()) {
    sentences.emplace_back("The figures need care: see what is unreliable.");
  }
  return sentences;
}

std::vector<NextStep> next_steps(const ReportModel& model) {
  const std::string name = model.meta.run_id.substr(0, 8);
  std::vector<NextStep> steps;
  if (model.state != "completed") {
    steps.push_back({"Take the run up where it ended.", "assay resume " + name});
  }
  for (const Check& check : model.measurement.checks) {
    const CheckWords* words = words_of_check(check.name);
    if (!check.ok && words != nullptr) steps.push_back({std::string(words->remedy), ""});
  }
  for (const Caveat& caveat : model.unreliable) {
    const std::string_view remedy = remedy_of(caveat.code);
    if (!remedy.empty()) steps.push_back({std::string(remedy), ""});
  }
  const std::string again = repeat_command(model.meta);
  if (!again.empty()) {
    steps.push_back({"Measure the same again: two runs tell how far runs differ.", again});
    steps.push_back({"Compare the two: better, worse, same or unclear.",
                     fmt::format("assay compare {} last", name)});
  }
  steps.push_back({"The same in the terminal.", "assay runs show " + name});
  steps.push_back({"Every figure of every leg, for programs.",
                   fmt::format("assay report {0} -o {0}.json", name)});
  steps.push_back({"Every call as a row.", fmt::format("assay report {0} -o {0}.csv", name)});
  return steps;
}

}  // namespace assay
