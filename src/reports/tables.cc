#include "reports/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/check.h"
#include "base/text.h"
#include "model/engine_name.h"
#include "reports/cell_figures.h"
#include "reports/cell_rows.h"
#include "reports/engine_says.h"
#include "reports/engine_table.h"

namespace assay {
namespace {

using Row = std::vector<TableCell>;
constexpr auto kFaint = TableCell::Weight::kFaint;

// What stands in the columns of cells; the metrics' own definitions are in stats/metrics.cc.
constexpr std::string_view kAboutPrefill =
    "Prompt processing: how fast the prompt is read, from how fresh TTFT grows over at least three "
    "prompt lengths. With e: the engine's own figure.";
constexpr std::string_view kAboutSpeed =
    "Text generation after the shortest prompt: (streamed tokens - those of the first event) / "
    "(last text - first text), calls added up before dividing, with its 95 % interval.";
constexpr std::string_view kAboutMeanSpeed =
    "Text generation: (streamed tokens - those of the first event) / (last text - first text), the "
    "equal-weight mean over prompts, with its 95 % interval.";
constexpr std::string_view kAboutDepth = "Text generation after a prompt of this many tokens.";
constexpr std::string_view kAboutFresh =
    "Median time from sending a call to its first text, where the engine had nothing of the prompt "
    "in its cache.";
constexpr std::string_view kAboutReused =
    "Median time from sending a call to its first text, where the engine had part of the prompt in "
    "its cache.";
constexpr std::string_view kAboutTtft =
    "Time from sending a call to its first text, the equal-weight mean of the prompts' "
    "percentiles; "
    "one prefix state only: fresh and reused prompts are never pooled.";
constexpr std::string_view kAboutLoad =
    "Loading the model: start to ready of an engine that was started here, else the median that "
    "the engine says of its cold calls.";
constexpr std::string_view kAboutMemory =
    "Of the loaded model as the engine says, or of the engine's process on this machine.";
constexpr std::string_view kAboutSays =
    "The text generation measured here over the engine's own figure. With !: client, usage and "
    "engine contradict one another.";
constexpr std::string_view kAboutBest = "The fastest cell's text generation over this one's.";

const Metric& metric_named(std::string_view name) {
  const Metric* metric = find_metric(name);
  ASSAY_CHECK(metric != nullptr);
  return *metric;
}

std::string text_of(std::string_view metric, std::optional<double> value) {
  return metric_text(metric_named(metric), value);
}

/// `void` in place of a figure that a leg's broken scenario took away, `!` behind one with a mark.
std::string marked_text(std::string text, bool is_there, const CellSummary& cell) {
  if (!is_there && cell.voided) return "void";
  return is_there && cell.marked ? text + "!" : text;
}

std::string speed_text(std::string_view metric, std::optional<double> value,
                       const CellSummary& cell) {
  return marked_text(text_of(metric, value), value.has_value(), cell);
}

std::string output_speed(const CellSummary& cell) {
  return marked_text(with_interval(metric_named("decode_tps"), cell.tg_tps, cell.tg_ci95,
                                   cell.estimated_tokens ? Counts::kEstimated : Counts::kExact),
                     cell.tg_tps.has_value(), cell);
}

/// `4k`, `1.5k`.
std::string depth_text(int64_t tokens) {
  const double thousands = static_cast<double>(tokens) / 1024;
  const double whole = std::round(thousands);
  if (std::fabs(thousands - whole) < 0.05) return fmt::format("{:.0f}k", whole);
  return fmt::format("{:.1f}k", thousands);
}

/// The deepest prompt names the column; a cell that got less depth says so in its row.
std::string depth_title(const ReportModel& model) {
  int64_t deepest = 0;
  for (const CellSummary& cell : model.cells) {
    deepest = std::max(deepest, cell.depth_tokens.value_or(0));
  }
  return deepest > 0 ? "@" + depth_text(deepest) : "@depth";
}

std::string depth_cell(const CellSummary& cell, std::string_view title) {
  std::string text = text_of("decode_tps", cell.tg_depth_tps);
  if (!cell.depth_tokens) return text;
  const std::string own = "@" + depth_text(*cell.depth_tokens);
  return own == title ? text : text + own;
}

bool has_several_engines(const RunMeta& meta) {
  return std::any_of(meta.cells.begin(), meta.cells.end(), [&](const Cell& cell) {
    return engine_name(cell) != engine_name(meta.cells.front());
  });
}

/// A cell's label where its engine kind has a column of its own.
std::string without_kind(const std::string& label, const Cell& cell) {
  const std::string model(path_name(cell.model));
  return label == cell.kind + ":" + model ? model : label;
}

void add_ceilings(const ReportModel& model, const std::vector<std::string>& labels,
                  Section& section) {
  for (const CellSummary& cell : model.cells) {
    if (!cell.bandwidth_share || !model.meta.instrument.machine) continue;
    std::string text =
        fmt::format("{}: tg takes {:.0f} % of bandwidth ({:.1f} GB/s measured)",
                    labels[static_cast<size_t>(cell.cell)], 100 * *cell.bandwidth_share,
                    model.meta.instrument.machine->bytes_per_sec / 1e9);
    if (cell.compute_share)
      text += fmt::format(", pp {:.0f} % of compute", 100 * *cell.compute_share);
    section.notes.push_back(std::move(text));
  }
}

/// Why a speed has no interval, and what `~` means where it stands.
void add_estimate_warnings(const ReportModel& model, const std::vector<std::string>& labels,
                           Section& section) {
  for (const CellSummary& cell : model.cells) {
    if (cell.tg_no_ci95.empty()) continue;
    section.warnings.push_back(fmt::format("{}: no interval for tok/s: {}",
                                           labels[static_cast<size_t>(cell.cell)],
                                           no_interval_text(cell.tg_no_ci95)));
  }
  for (const Block& block : section.blocks) {
    const Table* table = std::get_if<Table>(&block);
    if (table == nullptr) continue;
    const bool marked = std::any_of(table->rows.begin(), table->rows.end(), [](const Row& row) {
      return std::any_of(row.begin(), row.end(),
                         [](const TableCell& cell) { return cell.weight == kFaint; });
    });
    if (!marked) continue;
    section.warnings.push_back(fmt::format("~ marks estimates: a p50 needs {} calls, a p95 {}",
                                           needed_for_percentile(0.5),
                                           needed_for_percentile(0.95)));
  }
}

}  // namespace

std::string with_interval(const Metric& metric, std::optional<double> mean,
                          const std::optional<Interval>& ci95, Counts counts) {
  std::string text = metric_text(metric, mean);
  if (mean && counts == Counts::kEstimated) text.insert(0, "~");
  if (!mean || !ci95) return text;
  const double half = std::max(ci95->high - *mean, *mean - ci95->low);
  return fmt::format("{} ± {}", text, metric_text(metric, half));
}

std::string range_text(const Metric& metric, const std::optional<Interval>& interval) {
  if (!interval) return "-";
  return fmt::format("{} … {}", metric_text(metric, interval->low),
                     metric_text(metric, interval->high));
}

std::string percent_text(std::optional<double> share) {
  if (!share) return "-";
  const double percent = std::round(1000 * *share) / 10;
  return percent == 0 ? "0.0 %" : fmt::format("{:+.1f} %", percent);
}

std::vector<std::string> cell_labels(const RunMeta& meta) {
  std::map<std::string, int> models;
  std::map<std::string, int> engines;
  // Servers may name a model by its path: the file's name tells it as well.
  const auto name = [](const Cell& c) { return std::string(path_name(c.model)); };
  const auto with_kind = [&](const Cell& c) { return c.kind + ":" + name(c); };
  for (const Cell& cell : meta.cells) {
    ++models[name(cell)];
    ++engines[with_kind(cell)];
  }
  std::vector<std::string> labels;
  for (const Cell& cell : meta.cells) {
    if (!cell.variant.empty()) {
      labels.push_back(cell.variant);
    } else if (!cell.matrix.empty()) {
      labels.push_back(matrix_label(meta, cell));
    } else if (!cell.model.empty() && models[name(cell)] == 1) {
      labels.push_back(name(cell));
    } else if (!cell.model.empty() && engines[with_kind(cell)] == 1) {
      labels.push_back(with_kind(cell));
    } else {
      labels.push_back(cell.id);
    }
  }
  return labels;
}

std::vector<const CellSummary*> best_first(const ReportModel& model) {
  std::vector<const CellSummary*> cells;
  for (const CellSummary& cell : model.cells) cells.push_back(&cell);
  std::stable_sort(cells.begin(), cells.end(), [](const CellSummary* a, const CellSummary* b) {
    return a->tg_tps.value_or(-1) > b->tg_tps.value_or(-1);
  });
  return cells;
}

bool has_cell_table(const ReportModel& model) {
  if (model.meta.cells.size() <= 1) return false;
  // Imported figures of an engine alone have neither output speed nor TTFT of a client.
  return !model.meta.imported ||
         std::any_of(model.cells.begin(), model.cells.end(),
                     [](const CellSummary& cell) { return cell.tg_tps.has_value(); });
}

std::string nothing_measured(const CellSummary& cell) {
  if (cell.failed > 0) return "all calls failed";
  if (cell.skipped_reason.empty()) return "nothing was measured";
  return "skipped: " + cell.skipped_reason;
}

TableCell median_cell(std::optional<double> value, int64_t calls) {
  std::string text = text_of("ttft_ms", value);
  if (!value || calls >= kMinForInterval) return text;
  return {"~" + text, kFaint, kMinForInterval};
}

Prefix common_prefix(const ReportModel& model) {
  const auto having = [&](std::optional<double> CellSummary::*member) {
    return std::count_if(model.cells.begin(), model.cells.end(),
                         [&](const CellSummary& c) { return (c.*member).has_value(); });
  };
  const auto fresh = having(&CellSummary::ttft_fresh_ms);
  const auto unknown = having(&CellSummary::ttft_unknown_ms);
  const auto reused = having(&CellSummary::ttft_reused_ms);
  if (fresh >= unknown && fresh >= reused) return Prefix::kFresh;
  return unknown >= reused ? Prefix::kUnknown : Prefix::kReused;
}

std::string_view no_interval_text(std::string_view no_ci95) {
  if (no_ci95 == "few") return "fewer than 6 calls";
  if (no_ci95 == "few_restarts") return "fewer than 3 restarts";
  return no_ci95 == "outlier" ? "one call is far off the median"
                              : "successive calls are correlated";
}

Section speed_section(const ReportModel& model) {
  const std::vector<std::string> labels = cell_labels(model.meta);
  const std::string depth = depth_title(model);
  Section section;
  Table table;
  // One engine for all is said above the table.
  const int drop_engine = has_several_engines(model.meta) ? 0 : 4;
  table.columns = {{"Model", "", Align::kLeft},
                   {"Engine", "", Align::kLeft, drop_engine},
                   {"pp", "tok/s", Align::kRight, 0, 0, kAboutPrefill},
                   {"tg ± 95%", "tok/s", Align::kRight, 0, 0, kAboutSpeed},
                   {depth, "tok/s", Align::kRight, 1, 0, kAboutDepth},
                   {"TTFT ms", "fresh", Align::kRight, 0, 0, kAboutFresh},
                   {"TTFT ms", "reused", Align::kRight, 0, 0, kAboutReused},
                   {"load", "ms", Align::kRight, 2, 0, kAboutLoad},
                   {"mem", "", Align::kRight, 3, 0, kAboutMemory},
                   {"engine", "says", Align::kRight, 0, 0, kAboutSays}};
  bool engine_pp = false;
  bool unknown = false;
  const std::vector<const CellSummary*> cells = rows_of(model);
  for (const CellSummary* cell : cells) {
    const Cell& facts = model.cell_of(*cell);
    TableCell label = without_kind(labels[static_cast<size_t>(cell->cell)], facts);
    if (cell->ok == 0) {
      table.rows.push_back({label, engine_name(facts), nothing_measured(*cell)});
      continue;
    }
    const bool by_engine = cell->pp_source == "engine";
    engine_pp |= by_engine;
    const bool only_unknown = !cell->ttft_fresh_ms && cell->ttft_unknown_ms;
    unknown |= only_unknown;
    TableCell fresh = only_unknown ? median_cell(cell->ttft_unknown_ms, cell->ttft_unknown_calls)
                                   : median_cell(cell->ttft_fresh_ms, cell->ttft_fresh_calls);
    if (only_unknown) fresh.text += "?";
    table.rows.push_back({label, engine_name(facts),
                          speed_text("prefill_tps", cell->pp_tps, *cell) + (by_engine ? "e" : ""),
                          output_speed(*cell), depth_cell(*cell, depth), fresh,
                          median_cell(cell->ttft_reused_ms, cell->ttft_reused_calls),
                          text_of("load_ms", cell->load_ms),
                          cell->memory_bytes ? bytes_text(*cell->memory_bytes) : "-",
                          engine_says_text(*cell)});
  }
  complete_rows(model, cells, table);
  section.blocks.emplace_back(std::move(table));
  add_engine_table(model, labels, section);
  add_estimate_warnings(model, labels, section);
  add_ceilings(model, labels, section);
  if (engine_pp) {
    section.warnings.push_back(
        "e: pp is the engine's own figure; the client needs three prompt lengths");
  }
  if (unknown)
    section.warnings.push_back("?: the engine does not say whether the prompt was cached");
  return section;
}

Section comparison_section(const ReportModel& model) {
  const std::vector<std::string> labels = cell_labels(model.meta);
  const Prefix prefix = common_prefix(model);
  const std::vector<const CellSummary*> cells = rows_of(model);
  const CellSummary* const fastest = cells.empty() ? nullptr : best_first(model).front();
  const auto best = fastest == nullptr ? std::nullopt : fastest->tg_tps;
  const std::string ttft =
      prefix == Prefix::kUnknown ? "TTFT" : fmt::format("TTFT {}", to_text(prefix));
  Section section;
  Table table;
  table.columns = {{"Model", "", Align::kLeft},
                   {"Size", "", Align::kRight, 2},
                   {"tok/s ± 95% CI", "", Align::kRight, 0, 0, kAboutMeanSpeed},
                   {ttft, "p50 ms", Align::kRight, 0, 0, kAboutTtft},
                   {"", "p95 ms", Align::kRight, 1},
                   {"ok", ""},
                   {"vs best", "", Align::kLeft, 0, 0, kAboutBest}};
  for (const CellSummary* cell : cells) {
    const Cell& facts = model.cell_of(*cell);
    TableCell label = labels[static_cast<size_t>(cell->cell)];
    const std::string size = facts.model_bytes ? bytes_text(*facts.model_bytes) : "-";
    if (cell->ok == 0) {
      table.rows.push_back({label, size, nothing_measured(*cell)});
      continue;
    }
    const auto legs = steady_legs(model.legs, facts.id);
    const OverPrompts p50 = over_prompts(legs, prefix, "ttft_ms", &Summary::p50);
    const OverPrompts p95 = over_prompts(legs, prefix, "ttft_ms", &Summary::p95);
    TableCell tail = text_of("ttft_ms", p95.value);
    const int64_t needed = needed_for_percentile(0.95);
    if (p95.value && p95.calls < needed) tail = {"~" + tail.text, kFaint, needed};
    std::string rank = "-";
    if (cell->tg_tps) rank = fmt::format("{:.2f}x slower", *best / *cell->tg_tps);
    if (cell == fastest && cell->tg_tps) rank = "best";
    table.rows.push_back({label, size, output_speed(*cell), median_cell(p50.value, p50.calls), tail,
                          std::to_string(cell->ok), rank});
  }
  complete_rows(model, cells, table);
  section.blocks.emplace_back(std::move(table));
  add_engine_table(model, labels, section);
  add_estimate_warnings(model, labels, section);
  add_ceilings(model, labels, section);
  return section;
}

}  // namespace assay
