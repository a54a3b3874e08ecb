#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace assay {

/// The tensor formats Assay writes. The values are ggml's own type ids.
enum class GgmlType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ5_0 = 6,
  kQ8_0 = 8,
  kQ4_K = 12,
  kQ6_K = 14,
};

/// How a ggml type lays values out: every `block_values` values take `block_bytes` bytes.
struct GgmlFormat {
  uint32_t type_id = 0;
  std::string_view name;
  int64_t block_values = 1;
  int64_t block_bytes = 0;
};

/// Empty for a type id newer than this table.
std::optional<GgmlFormat> ggml_format(uint32_t type_id);
GgmlFormat ggml_format(GgmlType type);

/// Bytes of `values` values. `values` is a multiple of the format's block.
int64_t ggml_bytes(GgmlType type, int64_t values);

/// What a whole file is quantised to: a base type, and for the k-quant mixes a rule which tensors
/// get more bits (see tensor_plan.h).
enum class Quantisation : uint8_t { kF32, kF16, kQ8_0, kQ6_K, kQ4_K_M, kQ4_0 };

struct QuantisationFormat {
  Quantisation quantisation{};
  std::string_view name;
  GgmlType base{};
  uint32_t file_type = 0;  ///< The value of `general.file_type`.
};

/// Every quantisation Assay writes, largest first.
std::span<const QuantisationFormat> quantisation_formats();
const QuantisationFormat& quantisation_format(Quantisation quantisation);

/// The usual label of a `general.file_type`, such as `q4_k_m`; empty for one not known.
std::string_view file_type_label(uint32_t file_type);

}  // namespace assay
