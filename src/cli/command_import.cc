#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/show_run.h"
#include "reports/report_model.h"
#include "run/import_run.h"
#include "store/ledger.h"

namespace assay {
namespace {

Result<ImportRequest> request_of(const Invocation& invocation) {
  ImportRequest request;
  request.file = invocation.argument("FILE");
  request.format = invocation.value("format");
  request.hints.model = invocation.value("model");
  request.hints.engine = invocation.value("engine");
  const auto labels = invocation.flags.find("label");
  if (labels == invocation.flags.end()) return request;
  for (const std::string& label : labels->second) {
    if (label.find('=') == std::string::npos || label.front() == '=') {
      return fail(Errc::kInvalidArgument,
                  fmt::format("--label '{}' has no =", printable(label, 80)),
                  "labels are KEY=VALUE");
    }
    request.labels.push_back(label);
  }
  return request;
}

/// What the file has become, as its report will see it.
ReportModel model_of(const ImportedRun& run) {
  LedgerContent content;
  content.meta = run.meta;
  content.calls = run.calls;
  content.end.emplace().state = "completed";
  content.end->wall_s = run.wall_s;
  return make_report_model(std::move(content));
}

}  // namespace

int command_import(Invocation& invocation) {
  const auto request = request_of(invocation);
  if (!request) return report_failure(request.error());
  const auto run = read_import(*request);
  if (!run) return report_failure(run.error());
  RenderOptions options = render_options(invocation.spec);
  if (!invocation.has("dry-run")) {
    const auto data_dir = data_dir_of(invocation.spec);
    if (!data_dir) return report_failure(data_dir.error());
    const auto paths = store_import(*data_dir, *run);
    if (!paths) return report_failure(paths.error());
    const std::string id = run->meta.run_id.substr(0, 8);
    options.saved = short_path(paths->ledger);
    options.next = {fmt::format("assay runs show {}", id),
                    fmt::format("assay report {0} -o {0}.html", id)};
  }
  if (invocation.spec.quiet) {
    fmt::print("{}\n", run->meta.run_id);
    return exit_code::kDone;
  }
  const ReportModel model = model_of(*run);
  fmt::print("{}",
             invocation.spec.json ? render_json(model, options) : render_console(model, options));
  return exit_code::kDone;
}

}  // namespace assay
