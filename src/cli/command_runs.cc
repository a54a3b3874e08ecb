#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/confirm.h"
#include "cli/exit_codes.h"
#include "cli/known_tables.h"
#include "cli/named_run.h"
#include "cli/show_run.h"
#include "model/members_json.h"
#include "reports/findings.h"
#include "stats/rule_sets.h"
#include "store/index.h"
#include "store/remove_run.h"
#include "store/state.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<RunIndex> open_index(const RunSpec& spec) {
  const auto data_dir = data_dir_of(spec);
  if (!data_dir) return fail(data_dir.error());
  auto index = RunIndex::open(*data_dir);
  if (!index) return index;
  auto synced = index->sync();
  if (!synced) return fail(synced.error());
  for (const std::string& note : index->take_notes()) fmt::print(stderr, "note: {}\n", note);
  for (const std::string& note : synced->notes) fmt::print(stderr, "note: {}\n", note);
  return index;
}

/// What people said of a run, on a line of its own.
std::string remarks(const State& state, const RunRow& row) {
  std::vector<std::string> remarks;
  for (const auto& [name, baseline] : state.all<Baseline>()) {
    if (baseline.run_id == row.run_id) remarks.push_back(fmt::format("baseline '{}'", name));
  }
  if (const auto* publication = state.find<Publication>(row.run_id); publication != nullptr) {
    remarks.push_back(fmt::format("published: {}", *publication->where));
  }
  for (const auto& [key, mark] : state.all<Mark>()) {
    if (mark.run_id != row.run_id) continue;
    remarks.push_back(fmt::format("{}{}{}{}", mark.leg ? fmt::format("leg {} ", *mark.leg) : "",
                                  mark.mark, mark.note.empty() ? "" : ": ", mark.note));
  }
  return join(remarks, "; ");
}

Json marks_json(const State& state, const RunRow& row) {
  Json list = Json::array();
  for (const auto& [key, mark] : state.all<Mark>()) {
    if (mark.run_id == row.run_id) list.push_back(members_json<Json>(mark));
  }
  return list;
}

Json row_json(const State& state, const RunRow& row) {
  Json baselines = Json::array();
  for (const auto& [name, baseline] : state.all<Baseline>()) {
    if (baseline.run_id == row.run_id) baselines.push_back(name);
  }
  const auto* publication = state.find<Publication>(row.run_id);
  return {{"run_id", row.run_id},
          {"started_at_utc", row.started_at_utc},
          {"state", row.state},
          {"suite", row.suite},
          {"source", row.source.empty() ? Json(nullptr) : Json(row.source)},
          {"cells", row.cells},
          {"host", row.host},
          {"planned", row.planned},
          {"ok", row.ok},
          {"failed", row.failed},
          {"skipped", row.skipped},
          {"wall_s", row.wall_s ? Json(*row.wall_s) : Json(nullptr)},
          {"ledger", row.ledger_path},
          {"baselines", std::move(baselines)},
          {"published", publication == nullptr ? Json(nullptr) : Json(*publication->where)},
          {"marks", marks_json(state, row)}};
}

/// At most `width` characters, the mark of what was cut among them.
std::string fitted(std::string_view text, size_t width) {
  return printable(text, text.size() <= width ? width : width - 1);
}

}  // namespace

int command_runs_list(Invocation& invocation) {
  auto index = open_index(invocation.spec);
  if (!index) return report_failure(index.error());
  RunFilter filter;
  const std::string limit = invocation.value("limit", "20");
  filter.limit = std::atoll(limit.c_str());
  if (filter.limit < 1) {
    return report_failure(Error(Errc::kInvalidArgument, "--limit must be at least 1"));
  }
  const auto rows = index->list_runs(filter);
  if (!rows) return report_failure(rows.error());
  const auto data_dir = data_dir_of(invocation.spec);
  const auto state = data_dir ? read_state(*data_dir) : fail(data_dir.error());
  if (!state) return report_failure(state.error());
  if (invocation.spec.json) {
    Json list = Json::array();
    for (const RunRow& row : *rows) list.push_back(row_json(*state, row));
    fmt::print("{}", dump({{"schema", "assay.runs/1"}, {"runs", list}}));
    return exit_code::kDone;
  }
  if (rows->empty()) {
    fmt::print(stderr, "no runs yet: 'assay run' makes the first\n");
    return exit_code::kDone;
  }
  for (const RunRow& row : *rows) {
    if (invocation.spec.quiet) {
      fmt::print("{}\n", row.run_id);
      continue;
    }
    const std::string first = row.cells.empty() ? "-" : row.cells[0];
    const std::string more =
        row.cells.size() > 1 ? fmt::format(" +{}", row.cells.size() - 1) : std::string();
    // 80 columns: the cell's name gets what the others leave.
    fmt::print("{}  {}  {:<11} {:>4}/{:<4} ok  {:<8} {}{}\n", row.run_id.substr(0, 8),
               row.started_at_utc.substr(5, 11), row.source.empty() ? row.state : "imported",
               row.ok, row.planned, fitted(row.suite, 8), fitted(first, 22 - more.size()), more);
    if (const std::string said = remarks(*state, row); !said.empty()) {
      fmt::print("          {}\n", printable(said, 70));
    }
  }
  return exit_code::kDone;
}

int command_runs_show(Invocation& invocation) {
  const auto run = load_named_run(invocation.spec, invocation.argument("RUN"));
  if (!run) return report_failure(run.error());
  const ReportModel& model = run->model;
  RenderOptions options = render_options(invocation.spec);
  options.saved = short_path(run->named.ledger);
  fmt::print("{}", invocation.spec.json
                       ? render_json(model, options)
                       : render_console(model, options) + known_tables(invocation.spec, model));
  return exit_code::kDone;
}

int command_runs_rm(Invocation& invocation) {
  const auto data_dir = data_dir_of(invocation.spec);
  if (!data_dir) return report_failure(data_dir.error());
  auto index = open_index(invocation.spec);
  if (!index) return report_failure(index.error());
  const auto state = read_state(*data_dir);
  if (!state) return report_failure(state.error());
  std::vector<RunRow> rows;
  for (const std::string& name : invocation.arguments.find("RUN")->second) {
    auto row = index->find_run(name);
    if (!row && state->find<RemovedRun>(name) == nullptr) return report_failure(row.error());
    rows.push_back(row ? std::move(*row) : RunRow{.run_id = name});
    if (const auto held = what_holds(*state, rows.back().run_id)) return report_failure(*held);
  }
  for (const RunRow& row : rows) {
    const auto bytes = run_bytes(*data_dir, row.run_id);
    fmt::print(stderr, "{} {} ({}, {} calls, {})\n",
               invocation.has("dry-run") ? "would delete" : "delete", row.run_id,
               row.started_at_utc.empty() ? "was removed" : row.started_at_utc, row.planned,
               bytes ? bytes_text(*bytes) : "size unknown");
  }
  if (invocation.has("dry-run")) return exit_code::kDone;
  if (!confirmed(invocation, fmt::format("Delete {} run(s) for good?", rows.size()))) {
    return report_failure(
        Error(Errc::kInvalidArgument, "nothing was deleted", "--yes deletes without asking"));
  }
  for (const RunRow& row : rows) {
    if (auto gone = remove_run(*data_dir, row.run_id, "runs rm"); !gone) {
      return report_failure(gone.error());
    }
    const auto forgotten = index->remove_run(row.run_id);
    if (!forgotten && forgotten.error().code != Errc::kNotFound) {
      return report_failure(forgotten.error());
    }
  }
  return exit_code::kDone;
}

int command_runs_reindex(Invocation& invocation) {
  const auto data_dir = data_dir_of(invocation.spec);
  if (!data_dir) return report_failure(data_dir.error());
  const MonoNs started = mono_now_ns();
  const auto report = reindex(*data_dir);
  if (!report) return report_failure(report.error());
  const double seconds = static_cast<double>(mono_now_ns() - started) / 1e9;
  if (invocation.spec.json) {
    fmt::print("{}", dump({{"schema", "assay.reindex/1"},
                           {"runs", report->runs},
                           {"calls", report->calls},
                           {"seconds", seconds},
                           {"notes", report->notes}}));
    return exit_code::kDone;
  }
  for (const std::string& note : report->notes) fmt::print(stderr, "note: {}\n", note);
  fmt::print("indexed {} runs with {} calls in {:.2f} s\n", report->runs, report->calls, seconds);
  return exit_code::kDone;
}

namespace {

/// Source 004's Markdown with what its rules say against another run, at the end.
int report_against(const Invocation& invocation, const LoadedRun& run) {
  if (invocation.value("format") != "v1-baseline") {
    return report_failure(Error(Errc::kInvalidArgument, "--against needs --format v1-baseline",
                                "'assay compare BASE RUN' compares in other forms"));
  }
  const auto base = load_named_run(invocation.spec, invocation.value("against"));
  if (!base) return report_failure(base.error());
  const std::string name = base->model.meta.run_id.empty() ? base->named.ledger.filename().string()
                                                           : base->model.meta.run_id;
  const auto findings = baseline30(base->model.harness, run.model.harness);
  const std::string text = render_v1_baseline(run.model, render_options(invocation.spec)) + "\n" +
                           findings_markdown(name, findings);
  const std::string output = invocation.value("output");
  if (output.empty()) {
    fmt::print("{}", text);
  } else if (auto written = write_file_atomic(output, text); !written) {
    return report_failure(written.error());
  }
  return exit_code::kDone;
}

}  // namespace

int command_report(Invocation& invocation) {
  const std::string output = invocation.value("output");
  const std::string format = invocation.value("format");
  const Report* asked = !format.empty()  ? find_report(format)
                        : output.empty() ? find_report("md")
                                         : find_report_for(output);
  const Keep keep = asked != nullptr && asked->lists_calls ? Keep::kAll : Keep::kSample;
  const auto run = load_named_run(invocation.spec, invocation.argument("RUN"), keep);
  if (!run) return report_failure(run.error());
  const ReportModel& model = run->model;
  if (invocation.has("against")) return report_against(invocation, *run);
  if (output.empty()) {
    const Report* kind = find_report(format.empty() ? "md" : format);
    if (kind == nullptr) {
      return report_failure(Error(Errc::kInvalidArgument,
                                  fmt::format("there is no report format '{}'", printable(format)),
                                  "formats are html, md, json, csv, junit, v1-baseline, console"));
    }
    fmt::print("{}", kind->render(model, render_options(invocation.spec)));
    return exit_code::kDone;
  }
  if (auto written = write_reports(model, {output}, format); !written) {
    return report_failure(written.error());
  }
  if (invocation.spec.quiet) {
    fmt::print("{}\n", output);
  } else {
    std::error_code error;
    const auto bytes = static_cast<int64_t>(std::filesystem::file_size(output, error));
    fmt::print("Wrote {} ({})\n", output, bytes_text(bytes));
  }
  return exit_code::kDone;
}

}  // namespace assay
