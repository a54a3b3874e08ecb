#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/options.h"
#include "reports/report_model.h"

namespace assay {

/// Names are typed and printed, and must not be taken for options: letters, digits, `.`, `-` and
/// `_`, at most kMaxPlainName, no `-` in front.
bool is_plain_name(std::string_view text);
inline constexpr size_t kMaxPlainName = 40;

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

/// Reads a ledger and makes its model on the way; every record goes to `also`, too, if there is
/// one. Failures as read_ledger().
using EachCall = std::function<void(const CallRecord&)>;
Result<ReportModel> read_report_model(const std::filesystem::path& ledger, Keep keep,
                                      const EachCall& also = nullptr);

/// A run's results, read back.
struct LoadedRun {
  NamedRun named;
  ReportModel model;
};
Result<LoadedRun> load_named_run(const RunSpec& spec, const std::string& name,
                                 Keep keep = Keep::kSample, const EachCall& also = nullptr);
/// Several, their ledgers read side by side, each by a thread of its own. The first failure in the
/// order of names.
Result<std::vector<LoadedRun>> load_named_runs(const RunSpec& spec,
                                               const std::vector<std::string>& names);

}  // namespace assay
