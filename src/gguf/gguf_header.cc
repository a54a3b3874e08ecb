#include "gguf/gguf_header.h"

#include <bit>

namespace assay {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF is written as the machine stores");

template <class T>
void append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_text(std::string& out, std::string_view text) {
  append(out, static_cast<uint64_t>(text.size()));
  out.append(text);
}

}  // namespace

void GgufHeader::add_key(std::string_view key, GgufValue type) {
  append_text(pairs_, key);
  append(pairs_, static_cast<uint32_t>(type));
  ++pair_count_;
}

void GgufHeader::add_string(std::string_view key, std::string_view value) {
  add_key(key, GgufValue::kString);
  append_text(pairs_, value);
}

void GgufHeader::add_uint32(std::string_view key, int64_t value) {
  add_key(key, GgufValue::kUint32);
  append(pairs_, static_cast<uint32_t>(value));
}

void GgufHeader::add_float(std::string_view key, double value) {
  add_key(key, GgufValue::kFloat32);
  append(pairs_, static_cast<float>(value));
}

void GgufHeader::add_bool(std::string_view key, bool value) {
  add_key(key, GgufValue::kBool);
  append(pairs_, static_cast<uint8_t>(value ? 1 : 0));
}

void GgufHeader::add_strings(std::string_view key, std::span<const std::string> values) {
  add_key(key, GgufValue::kArray);
  append(pairs_, static_cast<uint32_t>(GgufValue::kString));
  append(pairs_, static_cast<uint64_t>(values.size()));
  for (const std::string& value : values) append_text(pairs_, value);
}

void GgufHeader::add_int32s(std::string_view key, std::span<const int32_t> values) {
  add_key(key, GgufValue::kArray);
  append(pairs_, static_cast<uint32_t>(GgufValue::kInt32));
  append(pairs_, static_cast<uint64_t>(values.size()));
  for (const int32_t value : values) append(pairs_, value);
}

std::string GgufHeader::bytes(const std::vector<TensorPlan>& tensors) const {
  std::string out(kGgufMagic);
  append(out, kGgufVersion);
  append(out, static_cast<uint64_t>(tensors.size()));
  append(out, pair_count_);
  out += pairs_;
  int64_t offset = 0;
  for (const TensorPlan& tensor : tensors) {
    append_text(out, tensor.name);
    append(out, static_cast<uint32_t>(tensor.vector ? 1 : 2));
    append(out, static_cast<uint64_t>(tensor.columns));
    if (!tensor.vector) append(out, static_cast<uint64_t>(tensor.rows));
    append(out, static_cast<uint32_t>(tensor.type));
    append(out, static_cast<uint64_t>(offset));
    offset += gguf_aligned(tensor.bytes());
  }
  out.resize(static_cast<size_t>(gguf_aligned(static_cast<int64_t>(out.size()))), '\0');
  return out;
}

}  // namespace assay
