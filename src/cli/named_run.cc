#include "cli/named_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <optional>
#include <utility>

#include "base/text.h"
#include "cli/show_run.h"
#include "store/ledger_scan.h"
#include "store/state.h"
#include "store/telemetry_file.h"

namespace assay {

bool is_plain_name(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  });
  return plain && !text.empty() && text.size() <= kMaxPlainName && text.front() != '-';
}

Result<NamedRun> find_named_run(const RunSpec& spec, const std::string& name) {
  const auto data_dir = data_dir_of(spec);
  if (!data_dir) return fail(data_dir.error());
  const auto state = read_state(*data_dir);
  if (!state) return fail(state.error());
  NamedRun run;
  if (name.find('/') != std::string::npos || name.ends_with(".jsonl")) {
    run.ledger = name;
    return run;
  }
  std::string asked = name;
  if (const auto* baseline = state->find<Baseline>(name); baseline != nullptr) {
    run.baseline = name;
    asked = *baseline->run_id;
  } else if (name == kDefaultBaseline) {
    return fail(Errc::kNotFound, "there is no baseline yet",
                "'assay baseline set RUN' makes a run the baseline");
  }
  const auto paths = find_run_paths(spec, asked);
  if (!paths && !run.baseline.empty()) {
    return fail(Errc::kNotFound,
                fmt::format("baseline '{}' is run {}, which is not there", printable(name, 40),
                            printable(asked, 40)),
                "'assay baseline set RUN' sets it anew");
  }
  if (!paths) return fail(paths.error());
  run.ledger = paths->ledger;
  run.run_id = paths->directory.filename().string();
  return run;
}

Result<ReportModel> read_report_model(const std::filesystem::path& ledger, Keep keep,
                                      const EachCall& also) {
  ReportModelBuilder builder(keep);
  builder.set_telemetry(read_telemetry(ledger.parent_path() / "telemetry.jsonl"));
  auto scan = scan_ledger(
      ledger, UnendedLine::kAccept,
      [&](CallRecord&& record) -> Result<void> {
        if (also) also(record);
        builder.add(std::move(record));
        return {};
      },
      [&](const RunMeta& meta) { builder.set_meta(meta); });
  if (!scan) return fail(scan.error());
  return builder.finish(std::move(scan->content));
}

Result<LoadedRun> load_named_run(const RunSpec& spec, const std::string& name, Keep keep,
                                 const EachCall& also) {
  auto named = find_named_run(spec, name);
  if (!named) return fail(named.error());
  auto model = read_report_model(named->ledger, keep, also);
  if (!model) return fail(model.error());
  return LoadedRun{std::move(*named), std::move(*model)};
}

Result<std::vector<LoadedRun>> load_named_runs(const RunSpec& spec,
                                               const std::vector<std::string>& names) {
  std::vector<LoadedRun> runs;
  for (const std::string& name : names) {
    auto named = find_named_run(spec, name);
    if (!named) return fail(named.error());
    runs.push_back({std::move(*named), {}});
  }
  std::vector<std::future<Result<ReportModel>>> models;
  for (const LoadedRun& run : runs) {
    models.push_back(std::async(std::launch::async, [&run] {
      return read_report_model(run.named.ledger, Keep::kSample, {});
    }));
  }
  std::optional<Error> failure;
  for (size_t i = 0; i < runs.size(); ++i) {
    auto model = models[i].get();
    if (model) {
      runs[i].model = std::move(*model);
    } else if (!failure) {
      failure = model.error();
    }
  }
  if (failure) return fail(std::move(*failure));
  return runs;
}

}  // namespace assay
