#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "model/options.h"
#include "reports/report_model.h"

namespace assay {

/// The baseline that `baseline` alone means.
inline constexpr std::string_view kDefaultBaseline = "baseline";

/// A run that was named by its id, `last`, a baseline's name, or the path of a ledger.
struct NamedRun {
  std::string run_id;  ///< Empty for a path.
  std::filesystem::path ledger;
  std::string baseline;  ///< The name, when it was one.
};

/// A baseline's name goes before ids; a name with a `/` or that ends with `.jsonl` is a path.
/// kNotFound says what there is.
Result<NamedRun> find_named_run(const RunSpec& spec, const std::string& name);

/// A run's results, read back.
struct LoadedRun {
  NamedRun named;
  ReportModel model;
};
Result<LoadedRun> load_named_run(const RunSpec& spec, const std::string& name);

}  // namespace assay
