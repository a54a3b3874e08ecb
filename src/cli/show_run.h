#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/terminal.h"
#include "model/options.h"
#include "reports/builtin.h"
#include "store/run_dir.h"

namespace assay {

Result<std::filesystem::path> data_dir_of(const RunSpec& spec);
/// The files of the run that `name` means.
Result<RunPaths> find_run_paths(const RunSpec& spec, const std::string& name);
/// How reports look on standard output.
RenderOptions render_options(const RunSpec& spec);
/// Writes a report to each file of `outputs`, by extension or by `format` when it is not empty.
/// kInvalidArgument names an extension that no report has, before anything is written.
Result<void> write_reports(const ReportModel& model, const std::vector<std::string>& outputs,
                           const std::string& format);
/// Prints and gives the exit code.
int report_failure(const Error& error);

}  // namespace assay
