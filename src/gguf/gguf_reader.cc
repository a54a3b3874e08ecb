#include "gguf/gguf_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <map>
#include <vector>

#include "base/files.h"
#include "gguf/byte_cursor.h"
#include "gguf/ggml_format.h"
#include "gguf/gguf_header.h"

namespace assay {
namespace {

constexpr uint64_t kMaxPairs = 1 << 16;
constexpr uint64_t kMaxTensors = 1 << 20;
constexpr uint64_t kMaxNameBytes = 1 << 16;
constexpr uint32_t kMaxDimensions = 4;
constexpr int kMaxArrayDepth = 4;
constexpr uint64_t kMaxLayers = 4096;
constexpr std::string_view kUnknownFormat = "type ";
constexpr uint64_t kMaxHeads = 1 << 16;

// Bytes of one value of a fixed size; 0 for texts and arrays.
uint64_t value_bytes(GgufValue type) {
  switch (type) {
    case GgufValue::kUint8:
    case GgufValue::kInt8:
    case GgufValue::kBool:
      return 1;
    case GgufValue::kUint16:
    case GgufValue::kInt16:
      return 2;
    case GgufValue::kUint32:
    case GgufValue::kInt32:
    case GgufValue::kFloat32:
      return 4;
    case GgufValue::kUint64:
    case GgufValue::kInt64:
    case GgufValue::kFloat64:
      return 8;
    case GgufValue::kString:
    case GgufValue::kArray:
      return 0;
  }
  return 0;
}

class HeaderParser {
 public:
  HeaderParser(int fd, int64_t file_bytes) : cursor_(fd, file_bytes) {
    info_.file_bytes = file_bytes;
  }

  Result<GgufInfo> parse() {
    check_start();
    const auto tensors = cursor_.take<uint64_t>();
    const auto pairs = cursor_.take<uint64_t>();
    if (tensors > kMaxTensors) cursor_.stop(fmt::format("{} tensors", tensors));
    if (pairs > kMaxPairs) cursor_.stop(fmt::format("{} metadata entries", pairs));
    info_.tensors = static_cast<int64_t>(tensors);
    for (uint64_t i = 0; i < pairs && cursor_.ok(); ++i) parse_pair();
    for (uint64_t i = 0; i < tensors && cursor_.ok(); ++i) parse_tensor();
    if (cursor_.ok()) finish();
    if (cursor_.problem()) return fail(*cursor_.problem());
    return std::move(info_);
  }

 private:
  void check_start() {
    std::array<char, 4> magic{};
    for (char& c : magic) c = cursor_.take<char>();
    if (std::string_view(magic.data(), magic.size()) != kGgufMagic) {
      cursor_.stop("it does not begin with GGUF");
    }
    const auto version = cursor_.take<uint32_t>();
    if (version == 1) cursor_.stop("version 1 is no longer in use");
    if ((version & 0xffff) == 0) cursor_.stop("it is big endian");
    if (version > kGgufVersion || version == 0) cursor_.stop(fmt::format("version {}", version));
  }

  GgufValue take_type() {
    const auto type = cursor_.take<uint32_t>();
    if (type > static_cast<uint32_t>(GgufValue::kFloat64)) {
      cursor_.stop(fmt::format("a value of type {}", type));
    }
    return static_cast<GgufValue>(type <= static_cast<uint32_t>(GgufValue::kFloat64) ? type : 0);
  }

  void parse_pair() {
    const std::string key = cursor_.take_text(kMaxNameBytes);
    const GgufValue type = take_type();
    if (type == GgufValue::kString) {
      parse_text(key);
    } else if (type == GgufValue::kArray) {
      parse_array(key);
    } else if (type == GgufValue::kBool) {
      const bool value = cursor_.take<uint8_t>() != 0;
      if (key == "assay.random_weights") info_.random_weights = value;
      if (key == "assay.scripted") info_.scripted = value;
    } else {
      parse_number(key, type);
    }
  }

  void parse_text(const std::string& key) {
    if (key == "general.architecture") {
      info_.architecture = cursor_.take_text(kMaxNameBytes);
    } else if (key == "general.name") {
      info_.name = cursor_.take_text(kMaxNameBytes);
    } else if (key == "general.type") {
      info_.type = cursor_.take_text(kMaxNameBytes);
    } else {
      info_.chat_template |= key == "tokenizer.chat_template";
      cursor_.skip(cursor_.take<uint64_t>());
    }
  }

  void parse_number(const std::string& key, GgufValue type) {
    const auto number = take_whole(type);
    if (!number) return;
    if (key == "general.file_type" && *number <= std::numeric_limits<uint32_t>::max()) {
      file_type_ = static_cast<uint32_t>(*number);
    }
    if (key == "general.alignment") {
      const bool power_of_two = *number != 0 && (*number & (*number - 1)) == 0;
      if (!power_of_two || *number > kMaxAlignment) {
        return cursor_.stop(fmt::format("an alignment of {}", *number));
      }
      alignment_ = *number;
    }
    // The prefix is the architecture, which may come later.
    constexpr std::array kWanted{".context_length",
                                 ".block_count",
                                 ".embedding_length",
                                 ".attention.head_count",
                                 ".attention.head_count_kv",
                                 ".attention.key_length",
                                 ".attention.value_length",
                                 ".expert_count",
                                 ".pooling_type"};
    const bool wanted = key.starts_with("split.") ||
                        std::any_of(kWanted.begin(), kWanted.end(),
                                    [&](std::string_view end) { return key.ends_with(end); });
    if (wanted && *number <= std::numeric_limits<int32_t>::max()) {
      numbers_[key] = static_cast<int64_t>(*number);
    }
  }

  /// A whole number from 0 on. Absent for other values, which are skipped.
  std::optional<uint64_t> take_whole(GgufValue type) {
    const auto from_zero = [](int64_t value) {
      return value < 0 ? std::nullopt : std::optional(static_cast<uint64_t>(value));
    };
    switch (type) {
      case GgufValue::kUint8:
        return cursor_.take<uint8_t>();
      case GgufValue::kUint16:
        return cursor_.take<uint16_t>();
      case GgufValue::kUint32:
        return cursor_.take<uint32_t>();
      case GgufValue::kUint64:
        return cursor_.take<uint64_t>();
      case GgufValue::kInt8:
        return from_zero(cursor_.take<int8_t>());
      case GgufValue::kInt16:
        return from_zero(cursor_.take<int16_t>());
      case GgufValue::kInt32:
        return from_zero(cursor_.take<int32_t>());
      case GgufValue::kInt64:
        return from_zero(cursor_.take<int64_t>());
      default:
        cursor_.skip(value_bytes(type));
        return std::nullopt;
    }
  }

  /// Where layers differ, their key and value heads are listed one by one.
  void parse_array(const std::string& key) {
    if (!key.ends_with(".attention.head_count_kv")) return skip_array(1);
    const GgufValue type = take_type();
    const auto count = cursor_.take<uint64_t>();
    if (value_bytes(type) == 0 || count > kMaxLayers) {
      return cursor_.stop(fmt::format("{} layers of key and value heads", count));
    }
    int64_t sum = 0;
    for (uint64_t i = 0; i < count && cursor_.ok(); ++i) {
      sum += static_cast<int64_t>(std::min<uint64_t>(take_whole(type).value_or(0), kMaxHeads));
    }
    listed_kv_heads_[key] = sum;
  }

  void skip_array(int depth) {
    if (depth > kMaxArrayDepth) cursor_.stop("arrays within arrays");
    const GgufValue type = take_type();
    const auto count = cursor_.take<uint64_t>();
    // Each element takes at least a byte, so this also bounds the loops below.
    if (count > cursor_.left()) cursor_.stop(fmt::format("an array of {} values", count));
    if (type == GgufValue::kString) {
      for (uint64_t i = 0; i < count && cursor_.ok(); ++i) cursor_.skip(cursor_.take<uint64_t>());
    } else if (type == GgufValue::kArray) {
      for (uint64_t i = 0; i < count && cursor_.ok(); ++i) skip_array(depth + 1);
    } else {
      if (count > cursor_.left() / value_bytes(type)) cursor_.stop("it ends inside an array");
      cursor_.skip(count * value_bytes(type));
    }
  }

  void parse_tensor() {
    const std::string name = cursor_.take_text(kMaxNameBytes);
    const auto dimensions = cursor_.take<uint32_t>();
    if (dimensions > kMaxDimensions)
      cursor_.stop(fmt::format("a tensor of {} dimensions", dimensions));
    if (!cursor_.ok()) return;
    int64_t values = 1;
    int64_t rows = 1;
    for (uint32_t i = 0; i < dimensions; ++i) {
      const auto length = cursor_.take<uint64_t>();
      if (i == 1) rows = static_cast<int64_t>(length);
      if (length > std::numeric_limits<int64_t>::max() ||
          __builtin_mul_overflow(values, static_cast<int64_t>(length), &values)) {
        return cursor_.stop("a tensor too large to count");
      }
    }
    if (__builtin_add_overflow(info_.parameters, values, &info_.parameters)) {
      return cursor_.stop("too many parameters to count");
    }
    const auto type = cursor_.take<uint32_t>();
    const auto offset = cursor_.take<uint64_t>();
    const auto format = ggml_format(type);
    if (name == "token_embd.weight") info_.vocabulary = rows;
    if (dimensions > 1) {
      info_.matrix_values[format ? std::string(format->name)
                                 : fmt::format("{}{}", kUnknownFormat, type)] += values;
    }
    uint64_t end = offset;
    if (format) {
      const auto blocks = static_cast<uint64_t>(values / format->block_values);
      uint64_t bytes = 0;
      if (__builtin_mul_overflow(blocks, static_cast<uint64_t>(format->block_bytes), &bytes) ||
          __builtin_add_overflow(offset, bytes, &end)) {
        cursor_.stop("a tensor too large to count");
      }
    }
    data_end_ = std::max(data_end_, end);
    add_cost(name, format, dimensions > 1 ? static_cast<double>(values) : 0,
             static_cast<double>(end - offset));
  }

  /// `values` of a matrix, 0 for a vector.
  void add_cost(std::string_view name, const std::optional<GgmlFormat>& format, double values,
                double bytes) {
    unknown_format_ |= !format;
    if (name == "token_embd.weight") {
      embedding_bytes_ = bytes;  // Read as a whole only where it is the output matrix as well.
      return;
    }
    cost_.weight_bytes += bytes;
    if (name == "output.weight") {
      has_output_ = true;
    } else {
      cost_.operations += 2 * values;  // Of a prompt only the last token goes through the output.
    }
  }

  [[nodiscard]] std::optional<int64_t> number(std::string_view key) const {
    const auto found = numbers_.find(fmt::format("{}.{}", info_.architecture, key));
    return found == numbers_.end() ? std::nullopt : std::optional(found->second);
  }

  /// Of all layers; where the header names none for keys and values, they are the query's.
  [[nodiscard]] std::optional<double> kv_heads() const {
    const auto listed =
        listed_kv_heads_.find(fmt::format("{}.attention.head_count_kv", info_.architecture));
    if (listed != listed_kv_heads_.end()) return static_cast<double>(listed->second);
    const auto layers = number("block_count");
    auto heads = number("attention.head_count_kv");
    if (!heads) heads = number("attention.head_count");
    if (!layers || !heads) return std::nullopt;
    return static_cast<double>(*layers) * static_cast<double>(*heads);
  }

  /// Keys and values of all layers, as 16-bit floats.
  [[nodiscard]] std::optional<double> cache_bytes() const {
    const auto kv = kv_heads();
    const auto heads = number("attention.head_count");
    const auto embedding = number("embedding_length");
    std::optional<int64_t> usual;
    if (heads && *heads > 0 && embedding) usual = *embedding / *heads;
    const auto key = number("attention.key_length");
    const auto value = number("attention.value_length");
    if (!kv || (!usual && (!key || !value))) return std::nullopt;
    constexpr double kF16Bytes = 2;
    return *kv * kF16Bytes * static_cast<double>((key ? *key : *usual) + (value ? *value : *usual));
  }

  /// What gguf-split writes into each part.
  [[nodiscard]] std::optional<GgufSplit> split() const {
    const auto of_key = [&](const char* key) {
      const auto found = numbers_.find(key);
      return found == numbers_.end() ? std::nullopt : std::optional(found->second);
    };
    const auto count = of_key("split.count");
    const auto no = of_key("split.no");
    if (!count || *count < 2 || !no) return std::nullopt;
    return GgufSplit{*no, *count, of_key("split.tensors.count")};
  }

  void check_data_end() {
    if (info_.split && info_.tensors == 0) return;  // A first part may hold the description alone.
    const auto header = static_cast<uint64_t>(cursor_.position());
    const uint64_t data_start = (header + alignment_ - 1) / alignment_ * alignment_;
    uint64_t needed = 0;
    if (__builtin_add_overflow(data_start, data_end_, &needed) ||
        needed > static_cast<uint64_t>(info_.file_bytes)) {
      cursor_.stop(info_.tensors == 0 ? "it holds no tensors"
                                      : "it is cut short: tensors are missing");
    }
  }

  void finish() {
    info_.split = split();
    check_data_end();
    // Of a split model only the first part describes it.
    const bool later_part = info_.split && info_.split->no > 0;
    if (info_.architecture.empty() && !later_part) cursor_.stop("it names no architecture");
    info_.context_length = number("context_length");
    info_.layers = number("block_count");
    info_.cache_bytes_per_token = cache_bytes();
    info_.is_embedding = number("pooling_type").value_or(0) > 0;
    if (!unknown_format_ && number("expert_count").value_or(0) == 0) {
      if (!has_output_) cost_.weight_bytes += embedding_bytes_;
      cost_.context_bytes = info_.cache_bytes_per_token.value_or(0);
      info_.token_cost = cost_;
    }
    if (file_type_) info_.quantisation = file_type_label(*file_type_);
    if (info_.quantisation.empty() && !info_.matrix_values.empty()) {
      const auto most = std::ranges::max_element(info_.matrix_values, {},
                                                 [](const auto& entry) { return entry.second; });
      if (!most->first.starts_with(kUnknownFormat)) info_.quantisation = most->first;
    }
  }

  static constexpr uint64_t kMaxAlignment = 1 << 20;

  ByteCursor cursor_;
  GgufInfo info_;
  std::optional<uint32_t> file_type_;
  std::map<std::string, int64_t> numbers_;          // Whole numbers of the metadata, by their key.
  std::map<std::string, int64_t> listed_kv_heads_;  // Where a layer each is listed: their sum.
  uint64_t alignment_ = kGgufAlignment;
  GgufCost cost_;
  double embedding_bytes_ = 0;
  bool has_output_ = false;
  bool unknown_format_ = false;
  uint64_t data_end_ = 0;  // From the start of the data.
};

}  // namespace

Result<GgufInfo> read_gguf_info(int fd, int64_t file_bytes, std::string_view name) {
  auto info = HeaderParser(fd, file_bytes).parse();
  if (info) return info;
  const Error& problem = info.error();
  if (problem.code == Errc::kIo) {
    return fail(Errc::kIo, fmt::format("cannot read {}: {}", name, problem.message));
  }
  return fail(problem.code, fmt::format("{} is no GGUF model: {}", name, problem.message));
}

Result<GgufInfo> read_gguf_info(const std::filesystem::path& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) {
    const int why = errno;
    return fail(why == ENOENT ? Errc::kNotFound : Errc::kIo,
                fmt::format("cannot read {}: {}", path.string(), errno_text(why)));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(Errc::kInvalidArgument, fmt::format("{} is not a file", path.string()));
  }
  return read_gguf_info(file.get(), status.st_size, path.string());
}

}  // namespace assay
