#include "reports/html/circumstances.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/text.h"
#include "reports/cold_table.h"
#include "reports/harness_tables.h"
#include "reports/html/text.h"
#include "reports/tables.h"

namespace assay {
namespace {

constexpr size_t kShortHash = 12;
constexpr size_t kMaxPrompts = 24;
constexpr size_t kMaxCells = 24;

using Row = std::vector<TableCell>;

/// Cuts a table at `most` rows and says how many more there are.
void limit(Table& table, size_t most) {
  if (table.rows.size() <= most) return;
  const size_t more = table.rows.size() - most;
  table.rows.resize(most);
  table.rows.push_back({std::string("…"), fmt::format("and {} more: see the JSON report", more)});
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string whole(std::optional<int64_t> value) {
  return value ? grouped(static_cast<double>(*value), 0) : "-";
}

std::string loads(const std::vector<double>& averages) {
  std::vector<std::string> texts;
  for (const double average : averages) texts.push_back(grouped(average, 2));
  return texts.empty() ? "-" : join(texts, " ");
}

Table cells_table(const ReportModel& model) {
  const std::vector<std::string> labels = cell_labels(model.meta);
  Table table;
  table.columns = {
      {"Model", "", Align::kLeft},
      {"Engine", "", Align::kLeft},
      {"Version", "", Align::kLeft},
      {"Address", "", Align::kLeft},
      {"Quantisation", "", Align::kLeft},
      {"Size", ""},
      {"Context", "tokens"},
      {"Threads", ""},
      {"Digest", "", Align::kLeft, 0, 0, "Of the weights' file, else the engine's own."},
      {"Fingerprint", "", Align::kLeft, 0, 0,
       "The model's identity in the registry, of its path."}};
  for (size_t i = 0; i < model.meta.cells.size(); ++i) {
    const Cell& cell = model.meta.cells[i];
    table.rows.push_back(
        {labels[i], cell.kind + (cell.managed ? ", started here" : ""), or_dash(cell.version),
         or_dash(cell.url), or_dash(cell.quantization),
         cell.model_bytes ? bytes_text(*cell.model_bytes) : std::string("-"),
         whole(cell.context_length), whole(cell.threads),
         or_dash((cell.weights.empty() ? cell.digest : cell.weights).substr(0, kShortHash)),
         or_dash(cell.fingerprint.substr(0, kShortHash))});
  }
  limit(table, kMaxCells);
  return table;
}

std::string salt_text(Prompt::Salt salt) {
  if (salt == Prompt::Salt::kPerCall) return "new first line each call";
  return salt == Prompt::Salt::kPerLeg ? "new first line each leg" : "the same each call";
}

Table prompts_table(const ReportModel& model) {
  Table table;
  table.columns = {{"Prompt", "", Align::kLeft},
                   {"Length asked", "tokens"},
                   {"Text", "", Align::kLeft},
                   {"SHA-256", "", Align::kLeft}};
  for (const Prompt& prompt : model.meta.prompts) {
    // Cells have prompts of their own that often are the same.
    const bool known = std::any_of(table.rows.begin(), table.rows.end(), [&](const Row& row) {
      return row[0].text == prompt.id &&
             row[3].text == or_dash(prompt.sha256.substr(0, kShortHash));
    });
    if (known) continue;
    table.rows.push_back({prompt.id, whole(prompt.target_tokens), salt_text(prompt.salt),
                          or_dash(prompt.sha256.substr(0, kShortHash))});
  }
  limit(table, kMaxPrompts);
  return table;
}

std::string_view on_off(bool value) { return value ? "on" : "off"; }

std::string settings_text(const CallSettings& s) {
  std::vector<std::string> parts;
  if (s.max_tokens) {
    parts.push_back(fmt::format("{} {} {}", s.fixed_length ? "exactly" : "at most", *s.max_tokens,
                                *s.max_tokens == 1 ? "token" : "tokens"));
  }
  if (s.temperature) parts.push_back(fmt::format("temperature {}", *s.temperature));
  if (s.top_p) parts.push_back(fmt::format("top-p {}", *s.top_p));
  if (s.top_k) parts.push_back(fmt::format("top-k {}", *s.top_k));
  if (s.seed) parts.push_back(fmt::format("seed {}", *s.seed));
  if (s.context_length) parts.push_back(fmt::format("context {}", *s.context_length));
  if (s.cache_prompt) parts.push_back(fmt::format("prompt cache {}", on_off(*s.cache_prompt)));
  if (s.think) parts.push_back(fmt::format("think {}", *s.think));
  const LaunchSettings load = s.load.value_or(LaunchSettings());
  if (load.threads) parts.push_back(fmt::format("threads {}", *load.threads));
  if (load.gpu_layers) parts.push_back(fmt::format("GPU layers {}", *load.gpu_layers));
  if (load.batch_size) parts.push_back(fmt::format("batch size {}", *load.batch_size));
  if (load.flash_attention) {
    parts.push_back(fmt::format("flash attention {}", *load.flash_attention));
  }
  if (load.mmap) parts.push_back(fmt::format("mmap {}", on_off(*load.mmap)));
  return parts.empty() ? "the engine's own defaults" : join(parts, ", ");
}

/// Equal settings once, with the number of legs that have them.
std::string settings_of(const RunMeta& meta) {
  std::vector<std::pair<std::string, int64_t>> kinds;
  for (const Leg& leg : meta.legs) {
    const std::string text = settings_text(leg.settings);
    const auto found =
        std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return k.first == text; });
    if (found == kinds.end()) {
      kinds.emplace_back(text, 1);
    } else {
      ++found->second;
    }
  }
  if (kinds.size() == 1) return kinds.front().first;
  std::vector<std::string> texts;
  for (const auto& [text, legs] : kinds) {
    texts.push_back(fmt::format("{} ({} {})", text, legs, legs == 1 ? "leg" : "legs"));
  }
  return texts.empty() ? "-" : join(texts, "; ");
}

std::string fact(std::string_view name, std::string_view value) {
  if (value.empty() || value == "-") return {};
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, html_text(value));
}

std::string checkout(const RunMeta& meta) {
  if (meta.git_sha.empty()) return {};
  return meta.git_sha.substr(0, kShortHash) +
         (meta.git_dirty.value_or(false) ? ", with changes" : "");
}

std::string facts_html(const ReportModel& model) {
  const RunMeta& meta = model.meta;
  std::string out = "<dl class=\"facts\">\n";
  out += fact("Run", meta.run_id) + fact("State", model.state) +
         fact("Suite",
              meta.suite_rev.empty() ? meta.suite : meta.suite + ", revision " + meta.suite_rev) +
         fact("Started", meta.started_at_utc) +
         fact("Took", model.wall_s ? grouped(*model.wall_s, 1) + " s" : "") +
         fact("Measured on", meta.host) + fact("Load average before", loads(meta.load_avg_start)) +
         fact("Load average after", loads(model.load_avg_end)) +
         fact("Settings of calls", settings_of(meta)) +
         fact("Budget", meta.budget_s ? grouped(*meta.budget_s, 0) + " s" : "") +
         fact("Seed", meta.imported ? "" : std::to_string(meta.seed)) +
         fact("Labels", join(meta.labels, ", ")) + fact("Assay", meta.assay_version) +
         fact("Commit there", checkout(meta));
  if (meta.environment) {
    for (const auto& [name, value] : environment_facts(*meta.environment)) out += fact(name, value);
  }
  return out + "</dl>\n";
}

}  // namespace

std::string circumstances_html(const ReportModel& model, Definitions& definitions) {
  std::string out = facts_html(model);
  if (const auto checks = preflight_table(model)) {
    out += html_table(*checks, "Checks before the run", definitions);
  }
  out += html_table(cells_table(model), "Engines and models", definitions);
  if (!model.meta.prompts.empty()) out += html_table(prompts_table(model), "Prompts", definitions);
  std::vector<std::string> notes = model.notes;
  for (std::string& note : cold_notes(model)) notes.push_back(std::move(note));
  if (!notes.empty()) {
    out += "<h3>Notes</h3>\n<ul>\n";
    for (const std::string& note : notes) {
      out += fmt::format("<li>{}</li>\n", html_text(note));
    }
    out += "</ul>\n";
  }
  return out;
}

std::string troubles_html(const ReportModel& model, Definitions& definitions) {
  using Key = std::tuple<size_t, Outcome, std::string>;
  std::map<Key, int64_t> kinds;
  for (size_t i = 0; i < model.legs.size(); ++i) {
    const LegResult& leg = model.legs[i];
    for (const Trouble& trouble : leg.troubles) {
      const bool skipped = trouble.outcome == Outcome::kSkipped;
      const std::string none = skipped ? leg.skipped_reason : std::string("no reason");
      kinds[{i, trouble.outcome, trouble.reason.empty() ? none : trouble.reason}] += trouble.calls;
    }
    if (leg.n == 0) kinds[{i, Outcome::kSkipped, leg.skipped_reason}] = 0;
  }
  if (kinds.empty()) return {};
  const std::vector<std::string> labels = cell_labels(model.meta);
  Table table;
  table.columns = {{"Where", "", Align::kLeft},
                   {"What", "", Align::kLeft},
                   {"Calls", ""},
                   {"Reason", "", Align::kLeft}};
  for (const auto& [key, calls] : kinds) {
    const auto& [index, outcome, reason] = key;
    const LegResult& leg = model.legs[index];
    const std::string cell = leg.cell >= 0 ? labels[static_cast<size_t>(leg.cell)] : leg.cell_id;
    table.rows.push_back({fmt::format("{} · {} · {}", cell, leg.prompt_id, to_text(leg.phase)),
                          std::string(to_text(outcome)), std::to_string(calls),
                          reason.empty() ? std::string("nothing was recorded") : reason});
  }
  limit(table, kMaxTroubles);
  return html_table(table, "Calls that gave no figure", definitions);
}

}  // namespace assay
