#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gguf/tensor_plan.h"

namespace assay {

inline constexpr int64_t kGgufAlignment = 32;
inline constexpr std::string_view kGgufMagic = "GGUF";
inline constexpr uint32_t kGgufVersion = 3;

/// GGUF's value types, by their ids in the file.
enum class GgufValue : uint32_t {
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kFloat32,
  kBool,
  kString,
  kArray,
  kUint64,
  kInt64,
  kFloat64,
};

inline int64_t gguf_aligned(int64_t bytes) {
  return (bytes + kGgufAlignment - 1) / kGgufAlignment * kGgufAlignment;
}

/// Collects key-value pairs in file order, then makes the bytes before the tensor data.
class GgufHeader {
 public:
  void add_string(std::string_view key, std::string_view value);
  void add_uint32(std::string_view key, int64_t value);  ///< 0 to 2^32 - 1.
  void add_float(std::string_view key, double value);
  void add_bool(std::string_view key, bool value);
  void add_strings(std::string_view key, std::span<const std::string> values);
  void add_int32s(std::string_view key, std::span<const int32_t> values);

  /// The whole header, padded to the alignment: the first tensor's data follows at once.
  [[nodiscard]] std::string bytes(const std::vector<TensorPlan>& tensors) const;

 private:
  void add_key(std::string_view key, GgufValue type);

  std::string pairs_;
  uint64_t pair_count_ = 0;
};

}  // namespace assay
