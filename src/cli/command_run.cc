#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/files.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/comparison.h"
#include "cli/exit_codes.h"
#include "cli/known_tables.h"
#include "cli/named_run.h"
#include "cli/notify_run.h"
#include "cli/probe_cells.h"
#include "cli/run_progress.h"
#include "cli/show_run.h"
#include "run/measure.h"
#include "run/plan_builder.h"

namespace assay {
namespace {

/// Whether no engine could be asked for any of it: the run's own options were of no use.
bool asks_in_vain(const RunMeta& meta) {
  return !meta.legs.empty() && std::all_of(meta.legs.begin(), meta.legs.end(), [](const Leg& leg) {
    return leg.skip.starts_with(kNotSupported);
  });
}

int exit_code_for(const RunSpec& spec, const RunMeta& meta, const Measured& measured) {
  const RunResult& result = measured.result;
  if (result.signal == SIGINT && result.state != "completed") return exit_code::kInterrupted;
  if (result.signal == SIGTERM && result.state != "completed") return exit_code::kTerminated;
  if (result.state == "failed") return exit_code::kFailed;
  if (!result.stopped_by.empty()) return exit_code::kStopped;
  const LiveEvents::Progress& p = result.progress;
  const bool too_many = spec.max_failed ? p.failed > *spec.max_failed : p.failed > 0 && p.ok == 0;
  if (too_many) return exit_code::kFailedCalls;
  if (!asks_in_vain(meta)) return exit_code::kDone;
  return report_failure(Error(Errc::kInvalidArgument,
                              "nothing was asked: " + meta.legs.front().skip,
                              "leave that option out, or name a server that takes it"));
}

/// The variants of an interleaved run against the first of them.
Result<void> print_variants(const RunSpec& spec, const ReportModel& model) {
  const auto data_dir = data_dir_of(spec);
  if (!data_dir) return fail(data_dir.error());
  const auto state = read_state(*data_dir);
  if (!state) return fail(state.error());
  const ComparisonReport report = compare_loaded(model, "", model, CompareRequest(), *state);
  fmt::print("\n{}", console_text(comparison_document(report), render_options(spec)));
  return {};
}

Keep calls_needed(const RunSpec& spec) {
  const bool listed =
      std::any_of(spec.output.begin(), spec.output.end(),
                  [](const std::string& output) { return find_report_for(output)->lists_calls; });
  return listed ? Keep::kAll : Keep::kSample;
}

/// The result of a run that just ended, as asked for.
int show_result(const RunSpec& spec, const Measured& measured) {
  const auto read = read_report_model(measured.paths.ledger, calls_needed(spec));
  if (!read) return report_failure(read.error());
  const ReportModel& model = *read;
  const std::string name = measured.run_id.substr(0, 8);
  RenderOptions options = render_options(spec);
  options.saved = short_path(measured.paths.ledger);
  if (measured.result.state == "completed") {
    options.next = {fmt::format("assay runs show {}", name),
                    fmt::format("assay report {} -o {}.html", name, name)};
    if (has_variants(model.meta)) {
      options.next.push_back(fmt::format("assay compare {0} -o {0}-ab.html", name));
    }
  } else {
    options.next = {fmt::format("assay resume {}", name)};
  }
  if (spec.json) {
    fmt::print("{}", render_json(model, options));
  } else if (spec.quiet) {
    fmt::print("{}\n", measured.run_id);
  } else {
    fmt::print("{}{}", render_console(model, options), known_tables(spec, model));
    if (has_variants(model.meta)) {
      if (auto printed = print_variants(spec, model); !printed) {
        return report_failure(printed.error());
      }
    }
  }
  std::fflush(stdout);
  if (!measured.result.error.empty()) {
    print_error(Error(Errc::kIo, measured.result.error));
  }
  if (auto written = write_reports(model, spec.output, ""); !written) {
    return report_failure(written.error());
  }
  notify_run(spec, model);
  return exit_code_for(spec, model.meta, measured);
}

}  // namespace

namespace {

/// Before minutes of measuring, not after them.
Result<void> check_outputs(const std::vector<std::string>& outputs) {
  for (const std::string& output : outputs) {
    const std::filesystem::path folder = std::filesystem::path(output).parent_path();
    const std::string checked = folder.empty() ? "." : folder.string();
    if (::access(checked.c_str(), W_OK | X_OK) == 0) continue;
    return fail(Errc::kInvalidArgument,
                fmt::format("{} cannot be written: {}", output, errno_text(errno)),
                "name a file in a folder that is there and that you may write to");
  }
  return {};
}

}  // namespace

int command_run(Invocation& invocation) {
  const RunSpec& spec = invocation.spec;
  for (const std::string& output : spec.output) {
    if (find_report_for(output) != nullptr) continue;
    return report_failure(Error(Errc::kInvalidArgument,
                                fmt::format("no report is written to '{}'", printable(output)),
                                "reports are .html, .md, .json, .csv and .xml"));
  }
  if (const auto faults = check_settings(spec, invocation.settings); !faults.empty()) {
    return report_failure(Error(Errc::kInvalidArgument, join(faults, "\n")));
  }
  if (spec.prompt.empty() && invocation.settings.contains("prompt")) {
    return report_failure(
        Error(Errc::kInvalidArgument, "--prompt is empty", "leave it out for suite speed"));
  }
  if (auto writable = check_outputs(spec.output); !writable) {
    return report_failure(writable.error());
  }
  if (auto hooks = check_hooks(spec); !hooks) return report_failure(hooks.error());
  if (spec.probe) return probe_cells(spec);
  RunProgress progress(spec);
  auto measured = measure(spec, progress.hooks());
  progress.clear();
  if (!measured) return report_failure(measured.error());
  return show_result(spec, *measured);
}

int command_resume(Invocation& invocation) {
  RunSpec& spec = invocation.spec;
  spec.wait = invocation.has("wait");
  spec.api_key_file = invocation.value("api-key-file");
  RunProgress progress(spec);
  auto measured = resume_run(spec, invocation.argument("RUN"), progress.hooks());
  progress.clear();
  if (!measured) return report_failure(measured.error());
  return show_result(spec, *measured);
}

}  // namespace assay
