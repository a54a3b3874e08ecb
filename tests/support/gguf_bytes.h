#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// The bytes of GGUF files, piece by piece, right or wrong.
namespace assay::gguf_bytes {

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
inline std::string text(std::string_view value) {
  return raw<uint64_t>(value.size()) + std::string(value);
}
inline std::string key(std::string_view name, uint32_t type) { return text(name) + raw(type); }

inline constexpr uint32_t kUint16 = 2;
inline constexpr uint32_t kUint32 = 4;
inline constexpr uint32_t kInt32 = 5;
inline constexpr uint32_t kBool = 7;
inline constexpr uint32_t kString = 8;
inline constexpr uint32_t kArray = 9;

inline std::string start(uint64_t tensors, uint64_t pairs, uint32_t version = 3) {
  return "GGUF" + raw(version) + raw(tensors) + raw(pairs);
}

inline std::string architecture() { return key("general.architecture", kString) + text("llama"); }

inline std::string tensor(std::string_view name, uint64_t columns, uint64_t rows, uint32_t type,
                          uint64_t offset) {
  return text(name) + raw<uint32_t>(2) + raw(columns) + raw(rows) + raw(type) + raw(offset);
}

/// A whole file: pairs and matrices are collected, then laid out.
class File {
 public:
  File& string(std::string_view name, std::string_view value) {
    return pair(key(name, kString) + text(value));
  }
  File& number(std::string_view name, uint32_t value) {
    return pair(key(name, kUint32) + raw(value));
  }
  File& small_number(std::string_view name, uint16_t value) {
    return pair(key(name, kUint16) + raw(value));
  }
  File& signed_number(std::string_view name, int32_t value) {
    return pair(key(name, kInt32) + raw(value));
  }
  File& pair(const std::string& bytes) {
    pairs_ += bytes;
    ++pair_count_;
    return *this;
  }
  /// `bytes` of data behind the header.
  File& matrix(std::string_view name, uint64_t columns, uint64_t rows, uint32_t type,
               size_t bytes) {
    tensors_ += tensor(name, columns, rows, type, data_.size());
    data_ += std::string(bytes, static_cast<char>('a' + tensor_count_));
    data_.resize((data_.size() + 31) / 32 * 32);
    ++tensor_count_;
    return *this;
  }
  [[nodiscard]] std::string bytes() const {
    std::string all = start(tensor_count_, pair_count_) + pairs_ + tensors_;
    all.resize((all.size() + 31) / 32 * 32);
    return all + data_;
  }

 private:
  std::string pairs_;
  std::string tensors_;
  std::string data_;
  uint64_t pair_count_ = 0;
  uint64_t tensor_count_ = 0;
};

}  // namespace assay::gguf_bytes
