#include "gguf/gguf_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <map>
#include <vector>

#include "base/files.h"
#include "gguf/ggml_format.h"
#include "gguf/gguf_header.h"

namespace assay {
namespace {

constexpr uint64_t kMaxPairs = 1 << 16;
constexpr uint64_t kMaxTensors = 1 << 20;
constexpr uint64_t kMaxNameBytes = 1 << 16;
constexpr uint32_t kMaxDimensions = 4;
constexpr int kMaxArrayDepth = 4;
constexpr size_t kBufferBytes = 1 << 16;

// Reads forward through a file that is `size` bytes long. The first problem sticks: from then on
// everything reads as zero, and loops ask ok().
class ByteCursor {
 public:
  ByteCursor(int fd, int64_t size) : fd_(fd), size_(size), buffer_(kBufferBytes) {}

  [[nodiscard]] bool ok() const { return !problem_.has_value(); }
  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }

  void stop(std::string reason, Errc code = Errc::kInvalidArgument) {
    if (ok()) problem_ = Error(code, std::move(reason));
  }

  [[nodiscard]] int64_t position() const { return position_; }
  [[nodiscard]] uint64_t left() const { return static_cast<uint64_t>(size_ - position_); }

  template <class T>
  T take() {
    T value{};
    take_into(reinterpret_cast<char*>(&value), sizeof value);
    return value;
  }

  std::string take_text(uint64_t max_bytes) {
    const auto length = take<uint64_t>();
    if (length > max_bytes) stop(fmt::format("a text of {} bytes", length));
    if (length > left()) stop("it ends inside a text");
    if (!ok()) return {};
    std::string text(static_cast<size_t>(length), '\0');
    take_into(text.data(), text.size());
    return text;
  }

  void skip(uint64_t bytes) {
    if (bytes > left()) stop("it ends inside its header");
    if (ok()) position_ += static_cast<int64_t>(bytes);
  }

 private:
  void take_into(char* out, size_t bytes) {
    if (bytes > left()) stop("it ends inside its header");
    while (ok() && bytes > 0) {
      if (position_ < start_ || position_ >= start_ + static_cast<int64_t>(filled_)) {
        refill();
        continue;
      }
      const auto at = static_cast<size_t>(position_ - start_);
      const size_t part = std::min(bytes, filled_ - at);
      std::memcpy(out, buffer_.data() + at, part);
      out += part;
      bytes -= part;
      position_ += static_cast<int64_t>(part);
    }
  }

  void refill() {
    ssize_t got = 0;
    do {
      got = ::pread(fd_, buffer_.data(), buffer_.size(), position_);
    } while (got < 0 && errno == EINTR);
    if (got < 0) stop(errno_text(errno), Errc::kIo);
    if (got == 0) stop("it became shorter while it was read");
    start_ = position_;
    filled_ = static_cast<size_t>(std::max<ssize_t>(got, 0));
  }

  int fd_;
  int64_t size_;
  int64_t position_ = 0;
  std::vector<char> buffer_;
  int64_t start_ = 0;
  size_t filled_ = 0;
  std::optional<Error> problem_;
};

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
      skip_array(1);
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
    } else {
      cursor_.skip(cursor_.take<uint64_t>());
    }
  }

  void parse_number(const std::string& key, GgufValue type) {
    std::optional<uint64_t> number;
    if (type == GgufValue::kUint32) {
      number = cursor_.take<uint32_t>();
    } else if (type == GgufValue::kUint64) {
      number = cursor_.take<uint64_t>();
    } else {
      cursor_.skip(value_bytes(type));
    }
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
    constexpr std::array kWanted{".context_length",          ".block_count",
                                 ".embedding_length",        ".attention.head_count",
                                 ".attention.head_count_kv", ".attention.key_length",
                                 ".attention.value_length",  ".expert_count"};
    const bool wanted = std::any_of(kWanted.begin(), kWanted.end(),
                                    [&](std::string_view end) { return key.ends_with(end); });
    if (wanted && *number <= std::numeric_limits<int32_t>::max()) {
      numbers_[key] = static_cast<int64_t>(*number);
    }
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
    for (uint32_t i = 0; i < dimensions; ++i) {
      const auto length = cursor_.take<uint64_t>();
      if (length > std::numeric_limits<int64_t>::max() ||
          __builtin_mul_overflow(values, static_cast<int64_t>(length), &values)) {
        return cursor_.stop("a tensor too large to count");
      }
    }
    if (__builtin_add_overflow(info_.parameters, values, &info_.parameters)) {
      cursor_.stop("too many parameters to count");
    }
    const auto type = cursor_.take<uint32_t>();
    const auto offset = cursor_.take<uint64_t>();
    const auto format = ggml_format(type);
    if (dimensions > 1 && format) matrix_values_[format->name] += static_cast<double>(values);
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

  /// Keys and values of all layers, as 16-bit floats; 0 where the header does not tell.
  [[nodiscard]] double context_bytes() const {
    const auto layers = number("block_count");
    const auto heads = number("attention.head_count");
    const auto kv_heads = number("attention.head_count_kv");
    const auto embedding = number("embedding_length");
    if (!layers || !heads || *heads == 0 || !kv_heads || !embedding) return 0;
    const int64_t usual = *embedding / *heads;
    const auto lengths = number("attention.key_length").value_or(usual) +
                         number("attention.value_length").value_or(usual);
    constexpr double kF16Bytes = 2;
    return static_cast<double>(*layers) * static_cast<double>(*kv_heads) *
           static_cast<double>(lengths) * kF16Bytes;
  }

  void check_data_end() {
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
    check_data_end();
    if (info_.architecture.empty()) cursor_.stop("it names no architecture");
    info_.context_length = number("context_length");
    if (!unknown_format_ && number("expert_count").value_or(0) == 0) {
      if (!has_output_) cost_.weight_bytes += embedding_bytes_;
      cost_.context_bytes = context_bytes();
      info_.token_cost = cost_;
    }
    if (file_type_) info_.quantisation = file_type_label(*file_type_);
    if (info_.quantisation.empty() && !matrix_values_.empty()) {
      info_.quantisation = std::ranges::max_element(matrix_values_, {}, [](const auto& entry) {
                             return entry.second;
                           })->first;
    }
  }

  static constexpr uint64_t kMaxAlignment = 1 << 20;

  ByteCursor cursor_;
  GgufInfo info_;
  std::optional<uint32_t> file_type_;
  std::map<std::string, int64_t> numbers_;  // Whole numbers of the metadata, by their key.
  std::map<std::string_view, double> matrix_values_;
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
