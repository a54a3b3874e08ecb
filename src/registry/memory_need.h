#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "registry/registered_model.h"

namespace assay {

/// About how much memory a model takes while it generates. Bytes.
struct MemoryNeed {
  int64_t context_length = 0;  ///< Tokens that it is for.
  int64_t weights = 0;         ///< The files, its projector's among them.
  /// Keys and values of the context, as 16-bit floats. Absent where the header does not tell.
  std::optional<int64_t> cache;
  int64_t compute = 0;  ///< Buffers to compute in.
  [[nodiscard]] int64_t total() const { return weights + cache.value_or(0) + compute; }
};

/// What a model is estimated for when nobody says: this, or what it was trained for if that is
/// less.
inline constexpr int64_t kUsualContext = 4096;

/// Absent for a model that is not whole. `context_length` as asked for, or the usual.
std::optional<MemoryNeed> memory_need(const RegisteredModel& model,
                                      std::optional<int64_t> context_length = {});

/// Memory that is free, such as that of a graphics card.
struct MemoryPool {
  std::string name;
  int64_t free_bytes = 0;
};

/// The first pool that the whole model fits into; null when there is none.
const MemoryPool* fitting_pool(const MemoryNeed& need, const std::vector<MemoryPool>& pools);

}  // namespace assay
