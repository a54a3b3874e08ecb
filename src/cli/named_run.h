#pragma once

#include <string>

#include "base/result.h"
#include "model/options.h"
#include "store/run_dir.h"

namespace assay {

/// The baseline that `baseline` alone means.
inline constexpr std::string_view kDefaultBaseline = "baseline";

/// A run that was named by its id, `last`, or a baseline's name.
struct NamedRun {
  std::string run_id;
  RunPaths paths;
  std::string baseline;  ///< The name, when it was one.
};

/// A baseline's name goes before ids. kNotFound says what there is.
Result<NamedRun> find_named_run(const RunSpec& spec, const std::string& name);

}  // namespace assay
