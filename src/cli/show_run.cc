#include "cli/show_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/files.h"
#include "base/text.h"
#include "cli/exit_codes.h"
#include "store/index.h"

namespace assay {

Result<std::filesystem::path> data_dir_of(const RunSpec& spec) {
  return data_directory(spec.data_dir.empty() ? std::nullopt
                                              : std::optional<std::string>(spec.data_dir));
}

Result<RunPaths> find_run_paths(const RunSpec& spec, const std::string& name) {
  const auto data_dir = data_dir_of(spec);
  if (!data_dir) return fail(data_dir.error());
  auto index = RunIndex::open(*data_dir);
  if (!index) return fail(index.error());
  if (auto synced = index->sync(); !synced) return fail(synced.error());
  const auto row = index->find_run(name);
  if (!row) return fail(row.error());
  return run_paths(*data_dir, row->run_id);
}

RenderOptions render_options(const RunSpec& spec) {
  const Terminal terminal = inspect(stdout, spec.color);
  RenderOptions options;
  options.colour = terminal.colour ? RenderOptions::Colour::kOn : RenderOptions::Colour::kOff;
  if (terminal.columns) {
    options.width = std::max(options.width, static_cast<size_t>(*terminal.columns));
  }
  options.glyphs = terminal.utf8 ? RenderOptions::Glyphs::kUtf8 : RenderOptions::Glyphs::kAscii;
  return options;
}

Result<void> write_reports(const ReportModel& model, const std::vector<std::string>& outputs,
                           const std::string& format) {
  std::vector<const Report*> kinds;
  for (const std::string& output : outputs) {
    const Report* kind = format.empty() ? find_report_for(output) : find_report(format);
    if (kind == nullptr) {
      return fail(Errc::kInvalidArgument,
                  format.empty() ? fmt::format("no report is written to '{}'", printable(output))
                                 : fmt::format("there is no report format '{}'", printable(format)),
                  "reports are .html, .md, .json, .csv and .xml");
    }
    kinds.push_back(kind);
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    auto written = write_file_atomic(outputs[i], kinds[i]->render(model, RenderOptions()));
    if (!written) return written;
  }
  return {};
}

int report_failure(const Error& error) {
  print_error(error);
  return exit_code_of(error.code);
}

}  // namespace assay
