#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "gguf/model_shape.h"
#include "gguf/tensor_plan.h"
#include "gguf/vocabulary.h"

namespace assay {

/// Makes one tensor's bytes, a run of whole rows at a time, from the first row on.
class TensorFiller {
 public:
  virtual ~TensorFiller() = default;

  /// Fills `out` with the next rows; its size is a multiple of the tensor's row.
  virtual void fill_rows(std::span<uint8_t> out) = 0;
};

/// Random weights whose text is printable: see weights.cc. The same seed gives the same bytes, and
/// a tensor's bytes do not depend on how its rows are cut into runs. The references outlive the
/// filler.
std::unique_ptr<TensorFiller> random_filler(const ModelShape& shape, const Vocabulary& vocabulary,
                                            const TensorPlan& tensor, uint64_t seed);

/// Weights that spell the script of dummy_model.h. For the shape kScriptShape only.
std::unique_ptr<TensorFiller> script_filler(const ModelShape& shape, const Vocabulary& vocabulary,
                                            const TensorPlan& tensor, uint64_t seed);

}  // namespace assay
