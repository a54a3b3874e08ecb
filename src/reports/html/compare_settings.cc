#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "reports/compare_words.h"
#include "reports/html/compare_parts.h"
#include "reports/html/shell.h"
#include "reports/html/text.h"

namespace assay {
namespace {

constexpr size_t kMaxRows = 60;
constexpr size_t kShortHash = 12;

const SettingChange* find_change(const ComparisonReport& report, const std::string& name) {
  for (const SettingChange& change : report.comparison.differs) {
    if (change.name == name) return &change;
  }
  return nullptr;
}

void limit(Table& table) {
  if (table.rows.size() <= kMaxRows) return;
  const size_t more = table.rows.size() - kMaxRows;
  table.rows.resize(kMaxRows);
  table.rows.push_back(
      {std::string("…"), fmt::format("and {} more: see the JSON comparison", more)});
}

std::string run_name(const Reports& reports, size_t run) {
  return run == 0 ? "base " + base_label(reports.front()) : "new " + new_label(reports[run - 1]);
}

Table differing(const Reports& reports) {
  Table table;
  table.columns = {{"Setting", "", Align::kLeft}, {run_name(reports, 0), "", Align::kLeft}};
  std::vector<std::string> names;
  for (size_t i = 0; i < reports.size(); ++i) {
    table.columns.push_back({run_name(reports, i + 1), "", Align::kLeft});
    for (const SettingChange& change : reports[i].comparison.differs) {
      if (std::find(names.begin(), names.end(), change.name) == names.end()) {
        names.push_back(change.name);
      }
    }
  }
  for (const std::string& name : names) {
    std::vector<TableCell> row{name, std::string()};
    for (const ComparisonReport& report : reports) {
      const SettingChange* change = find_change(report, name);
      if (change != nullptr) row[1].text = change->base;
      row.emplace_back(change != nullptr ? change->now : "as the base");
    }
    table.rows.push_back(std::move(row));
  }
  limit(table);
  return table;
}

/// What all runs share.
std::vector<std::string> shared(const Reports& reports) {
  std::vector<std::string> same = reports.front().comparison.same;
  for (const ComparisonReport& report : reports) {
    const std::vector<std::string>& other = report.comparison.same;
    std::erase_if(same, [&](const std::string& one) {
      return std::find(other.begin(), other.end(), one) == other.end();
    });
  }
  return same;
}

/// The runs themselves: when and on which machine, in which state, how long.
Table runs_table(const Reports& reports, const Runs& runs) {
  Table table;
  table.columns = {{"Run", "", Align::kLeft},         {"Started", "", Align::kLeft},
                   {"Measured on", "", Align::kLeft}, {"Suite", "", Align::kLeft},
                   {"State", "", Align::kLeft},       {"Took", "s"},
                   {"Commit there", "", Align::kLeft}};
  for (size_t i = 0; i < runs.size(); ++i) {
    const RunMeta& meta = runs[i]->meta;
    const std::string commit = meta.git_sha.substr(0, kShortHash);
    table.rows.push_back(
        {run_name(reports, i), meta.started_at_utc, meta.host, meta.suite, runs[i]->state,
         runs[i]->wall_s ? grouped(*runs[i]->wall_s, 1) : std::string("-"),
         commit.empty() ? "-" : commit + (meta.git_dirty.value_or(false) ? ", with changes" : "")});
  }
  return table;
}

}  // namespace

std::string settings_html(const Reports& reports, const Runs& runs, Definitions& definitions) {
  std::string out;
  const Table table = differing(reports);
  out += table.rows.empty() ? "<p>Nothing that the runs state differs.</p>\n"
                            : html_table(table, "What differs", definitions);
  const std::vector<std::string> same = shared(reports);
  if (!same.empty()) {
    out += fmt::format("<details><summary>{} {} the same in all runs</summary>\n<ul>\n",
                       same.size(), same.size() == 1 ? "thing is" : "things are");
    for (const std::string& one : same) out += fmt::format("<li>{}</li>\n", html_text(one));
    out += "</ul></details>\n";
  }
  return out + html_table(runs_table(reports, runs), "The runs", definitions);
}

}  // namespace assay
