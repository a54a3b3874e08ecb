#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "base/text.h"
#include "reports/builtin.h"
#include "reports/harness_tables.h"
#include "reports/markdown_text.h"
#include "stats/summary.h"

namespace assay {
namespace {

constexpr double kRedFlagBelow = 0.95;
constexpr size_t kShortSha = 7;

std::optional<double> success_rate(const HarnessBatch& batch) {
  if (batch.n == 0) return std::nullopt;
  return static_cast<double>(batch.n - batch.errors) / static_cast<double>(batch.n);
}

std::optional<double> at(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return percentile(values, share);
}

std::optional<double> mean(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// One row, in the fixed order; later metrics only ever join at the end.
struct Row {
  std::optional<double> first_delta_p50, total_p50, completion_tokens_p50, tokens_per_sec_mean;
  std::optional<double> first_delta_p95, total_p95, success_rate;
  int64_t n = 0;
};

Row row_of(const HarnessBatch& b) {
  return {at(b.first_delta, 0.5),
          at(b.total, 0.5),
          at(b.completion_tokens, 0.5),
          mean(b.tokens_per_sec),
          at(b.first_delta, 0.95),
          at(b.total, 0.95),
          success_rate(b),
          b.n};
}

/// The equal-weight mean over prompts.
Row across(const std::vector<Row>& rows) {
  const auto over = [&](std::optional<double> Row::*figure) {
    std::vector<double> values;
    for (const Row& row : rows) {
      if (row.*figure) values.push_back(*(row.*figure));
    }
    return mean(values);
  };
  Row all{over(&Row::first_delta_p50),       over(&Row::total_p50),
          over(&Row::completion_tokens_p50), over(&Row::tokens_per_sec_mean),
          over(&Row::first_delta_p95),       over(&Row::total_p95),
          over(&Row::success_rate)};
  for (const Row& row : rows) all.n += row.n;
  return all;
}

std::string number(std::optional<double> value, int decimals) {
  return value ? fmt::format("{:.{}f}", *value, decimals) : "-";
}

std::string line_of(std::string_view name, const Row& row) {
  return fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", markdown_cell(name),
                     number(row.first_delta_p50, 0), number(row.total_p50, 0),
                     number(row.completion_tokens_p50, 0), number(row.tokens_per_sec_mean, 1),
                     number(row.first_delta_p95, 0), number(row.total_p95, 0),
                     number(row.success_rate, 2), row.n);
}

constexpr std::string_view kColumns =
    "| prompt | first_delta_ms | total_duration_ms | completion_tokens | tokens_per_sec | "
    "first_delta_ms.p95 | total_duration_ms.p95 | success_rate | n |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n";

/// Everything of one cell, prompts in the order in which they were first asked.
struct CellBatches {
  std::map<std::string, HarnessBatch> cold;
  std::map<std::string, HarnessBatch> warm;
  std::string skipped;
};

struct Baseline {
  std::vector<std::string> cells;
  std::vector<std::string> prompts;
  std::map<std::string, CellBatches> of;
};

void remember(const std::string& name, std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

Baseline baseline_of(const ReportModel& model) {
  Baseline all;
  for (const Cell& cell : model.meta.cells) remember(cell.id, all.cells);
  for (const HarnessBatch& batch : model.harness.batches()) {
    // Parallel calls are a question of their own: they never mix with warm ones.
    if (model.harness.has_warm() && batch.parallel) continue;
    remember(batch.cell_id, all.cells);
    CellBatches& cell = all.of[batch.cell_id];
    if (batch.phase == Phase::kSkipped) {
      if (cell.skipped.empty()) cell.skipped = batch.skipped;
      continue;
    }
    remember(batch.prompt_id, all.prompts);
    (batch.phase == Phase::kCold ? cell.cold : cell.warm)[batch.prompt_id].add(batch);
  }
  return all;
}

std::string table_of(std::string_view title, const std::map<std::string, HarnessBatch>& batches,
                     const std::vector<std::string>& prompts, std::vector<Row>& rows) {
  std::string out = fmt::format("### {}\n\n{}", title, kColumns);
  for (const std::string& prompt : prompts) {
    const auto batch = batches.find(prompt);
    if (batch == batches.end()) continue;
    rows.push_back(row_of(batch->second));
    out += line_of(prompt, rows.back());
  }
  return out + "\n";
}

std::string section_of(const std::string& id, const CellBatches& cell,
                       const std::vector<std::string>& prompts) {
  std::string out = fmt::format("## {}\n\n", markdown_cell(id));
  if (cell.cold.empty() && cell.warm.empty()) {
    return out +
           fmt::format("{}\n\n", markdown_cell(cell.skipped.empty() ? "no calls" : cell.skipped));
  }
  std::vector<Row> cold;
  std::vector<Row> warm;
  out += table_of("Cold", cell.cold, prompts, cold);
  out += table_of("Warm", cell.warm, prompts, warm);
  out += fmt::format("### Across prompts\n\n{}", kColumns);
  if (!cold.empty()) out += line_of("cold", across(cold));
  if (!warm.empty()) out += line_of("warm", across(warm));
  return out + "\n";
}

std::string matrix_of(const Baseline& all) {
  std::string head = "| cell |";
  std::string rule = "|---|";
  for (const std::string& prompt : all.prompts) {
    head += fmt::format(" {} |", markdown_cell(prompt));
    rule += "---:|";
  }
  std::string out = "## TTFT-warm-p50 (first_delta_ms)\n\n" + head + "\n" + rule + "\n";
  for (const std::string& id : all.cells) {
    out += fmt::format("| {} |", markdown_cell(id));
    const auto cell = all.of.find(id);
    for (const std::string& prompt : all.prompts) {
      const HarnessBatch* batch = nullptr;
      if (cell != all.of.end()) {
        const auto found = cell->second.warm.find(prompt);
        if (found != cell->second.warm.end()) batch = &found->second;
      }
      out += fmt::format(" {} |", batch == nullptr ? "-" : number(at(batch->first_delta, 0.5), 0));
    }
    out += "\n";
  }
  return out + "\n";
}

std::string red_flags_of(const Baseline& all) {
  std::string out;
  for (const std::string& id : all.cells) {
    const auto cell = all.of.find(id);
    if (cell == all.of.end()) continue;
    for (const auto& [prompt, batch] : cell->second.warm) {
      const auto rate = success_rate(batch);
      if (!rate || *rate >= kRedFlagBelow) continue;
      out += fmt::format("- {} {}: warm.success_rate {:.2f} (n {})\n", markdown_cell(id),
                         markdown_cell(prompt), *rate, batch.n);
    }
  }
  return out.empty() ? out : "## Red flags\n\n" + out + "\n";
}

std::string off_references_of(const ReportModel& model) {
  std::string out;
  for (const std::string& text : off_reference_texts(model)) {
    out += fmt::format("- {}\n", markdown_cell(text));
  }
  return out.empty() ? out : "## Off their references\n\n" + out + "\n";
}

std::string head_of(const ReportModel& model) {
  const RunMeta& m = model.meta;
  std::string out = fmt::format("# Baseline {}\n\n", markdown_cell(m.run_id));
  out += fmt::format("- started {}, host {}\n", markdown_cell(m.started_at_utc),
                     markdown_cell(m.host));
  const std::string_view tree = !m.git_dirty ? "unknown" : *m.git_dirty ? "dirty" : "clean";
  out += fmt::format("- git {} ({}), harness {}\n",
                     m.git_sha.empty() ? "-" : markdown_cell(m.git_sha.substr(0, kShortSha)), tree,
                     m.harness_version.empty() ? "-" : markdown_cell(m.harness_version));
  out += fmt::format("- load average at start {:.1f}\n", fmt::join(m.load_avg_start, ", "));
  for (const Caveat& caveat : model.unreliable) {
    out += fmt::format("- unreliable: {}: {}\n", caveat.code, markdown_cell(caveat.detail));
  }
  return out + "\n";
}

}  // namespace

std::string markdown_cell(std::string_view text) {
  std::string out;
  for (const char c : printable(text, 200)) {
    if (c == '|' || c == '\\' || c == '`') out += '\\';
    out += c == '<' ? std::string("&lt;") : std::string(1, c);
  }
  return out;
}

std::string render_v1_baseline(const ReportModel& model, const RenderOptions&) {
  const Baseline all = baseline_of(model);
  std::string out = head_of(model) + matrix_of(all) + red_flags_of(all);
  for (const std::string& id : all.cells) {
    const auto cell = all.of.find(id);
    out += section_of(id, cell == all.of.end() ? CellBatches() : cell->second, all.prompts);
  }
  out += off_references_of(model);
  out.pop_back();
  return out;
}

}  // namespace assay
