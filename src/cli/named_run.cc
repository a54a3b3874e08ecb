#include "cli/named_run.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/show_run.h"
#include "store/ledger.h"
#include "store/state.h"

namespace assay {

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
  if (const auto baseline = state->baselines.find(name); baseline != state->baselines.end()) {
    run.baseline = name;
    asked = baseline->second.run_id;
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

Result<LoadedRun> load_named_run(const RunSpec& spec, const std::string& name) {
  auto named = find_named_run(spec, name);
  if (!named) return fail(named.error());
  auto ledger = read_ledger(named->ledger);
  if (!ledger) return fail(ledger.error());
  return LoadedRun{std::move(*named), make_report_model(std::move(*ledger))};
}

}  // namespace assay
