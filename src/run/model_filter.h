#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "engines/engine.h"
#include "model/options.h"

namespace assay {

/// Which models are measured: every condition has to hold.
class ModelFilter {
 public:
  /// kInvalidArgument names the option and what is wrong with it: a regular expression that is
  /// none, a size without a unit, a range that is empty.
  static Result<ModelFilter> of(const RunSpec& spec);
  ModelFilter(ModelFilter&&) noexcept;
  ModelFilter& operator=(ModelFilter&&) noexcept;
  ~ModelFilter();

  /// Why the model is left out, such as `--quants q4: it is Q8_0`; empty when it is measured. What
  /// is not known of a model holds no condition.
  [[nodiscard]] std::string refuses(const ModelInfo& model) const;

 private:
  ModelFilter();
  struct Conditions;
  std::unique_ptr<const Conditions> conditions_;
};

/// Whether more is asked for than a server's usual model: --all-models, or a condition on models.
bool asks_for_all_models(const RunSpec& spec);
/// Whether a condition needs what some engines tell of one model at a time.
bool asks_for_details(const RunSpec& spec);

}  // namespace assay
