#include "gguf/dummy_model.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <map>
#include <system_error>

#include "base/files.h"
#include "base/random.h"
#include "base/text.h"
#include "gguf/gguf_header.h"
#include "gguf/model_shape.h"
#include "gguf/tensor_plan.h"
#include "gguf/vocabulary.h"
#include "gguf/weights.h"

namespace assay {
namespace {

constexpr int64_t kWriteBytes = 1 << 20;

std::vector<std::string> shape_names() {
  std::vector<std::string> names;
  for (const ModelShape& shape : model_shapes()) names.emplace_back(shape.name);
  return names;
}

std::vector<std::string> quantisation_names() {
  std::vector<std::string> names;
  for (const QuantisationFormat& format : quantisation_formats()) names.emplace_back(format.name);
  return names;
}

tl::unexpected<Error> unknown(std::string_view what, std::string_view given,
                              const std::vector<std::string>& known) {
  const std::string near = did_you_mean(given, known);
  return fail(Errc::kInvalidArgument,
              fmt::format("unknown {} \"{}\"{}", what, printable(given, 60),
                          near.empty() ? "" : fmt::format("; did you mean {}?", near)),
              fmt::format("known: {}", join(known, ", ")));
}

int32_t token_type(TokenKind kind) {
  constexpr int32_t kNormal = 1;
  constexpr int32_t kControl = 3;
  return kind == TokenKind::kControl ? kControl : kNormal;
}

void describe(GgufHeader& header, const DummyModelSpec& spec, const ModelShape& shape) {
  const bool random = spec.mode == DummyMode::kRandom;
  const std::string_view architecture = architecture_name(shape.architecture);
  header.add_string("general.architecture", architecture);
  header.add_string("general.type", "model");
  header.add_string("general.name", shape.name);
  header.add_string("general.description",
                    random ? "Random weights made by Assay: speed is real, text is noise."
                           : "Made by Assay to give one known answer.");
  header.add_uint32("general.file_type", quantisation_format(spec.quantisation).file_type);
  header.add_uint32("general.quantization_version", 2);
  header.add_uint32("general.alignment", kGgufAlignment);
  header.add_bool("assay.random_weights", random);
  header.add_bool("assay.scripted", !random);
  const auto key = [&](std::string_view part) { return fmt::format("{}.{}", architecture, part); };
  header.add_uint32(key("vocab_size"), shape.vocabulary);
  header.add_uint32(key("context_length"), spec.context_length.value_or(shape.context_length));
  header.add_uint32(key("embedding_length"), shape.embedding);
  header.add_uint32(key("block_count"), shape.layers);
  header.add_uint32(key("feed_forward_length"), shape.feed_forward);
  header.add_uint32(key("attention.head_count"), shape.heads);
  header.add_uint32(key("attention.head_count_kv"), shape.kv_heads);
  header.add_uint32(key("attention.key_length"), shape.head_size);
  header.add_uint32(key("attention.value_length"), shape.head_size);
  header.add_float(key("attention.layer_norm_rms_epsilon"), shape.norm_epsilon);
  header.add_uint32(key("rope.dimension_count"), shape.head_size);
  header.add_float(key("rope.freq_base"), shape.rope_base);
}

void describe(GgufHeader& header, const Vocabulary& vocabulary) {
  std::vector<int32_t> types;
  types.reserve(vocabulary.kinds.size());
  for (const TokenKind kind : vocabulary.kinds) types.push_back(token_type(kind));
  header.add_string("tokenizer.ggml.model", "gpt2");
  header.add_string("tokenizer.ggml.pre", "gpt-2");
  header.add_strings("tokenizer.ggml.tokens", vocabulary.tokens);
  header.add_int32s("tokenizer.ggml.token_type", types);
  header.add_strings("tokenizer.ggml.merges", vocabulary.merges);
  header.add_uint32("tokenizer.ggml.bos_token_id", vocabulary.begin_of_text);
  header.add_uint32("tokenizer.ggml.eos_token_id", vocabulary.end_of_turn);
  header.add_uint32("tokenizer.ggml.padding_token_id", vocabulary.padding);
  header.add_bool("tokenizer.ggml.add_bos_token", false);
  header.add_string("tokenizer.chat_template", kChatTemplate);
}

std::string header_bytes(const DummyModelSpec& spec, const ModelShape& shape,
                         const Vocabulary& vocabulary, const std::vector<TensorPlan>& tensors) {
  GgufHeader header;
  describe(header, spec, shape);
  describe(header, vocabulary);
  return header.bytes(tensors);
}

int64_t data_bytes(const std::vector<TensorPlan>& tensors) {
  int64_t total = 0;
  for (const TensorPlan& tensor : tensors) total += gguf_aligned(tensor.bytes());
  return total;
}

Result<const ModelShape*> check(const DummyModelSpec& spec) {
  const ModelShape* shape = find_model_shape(spec.shape);
  if (shape == nullptr) return unknown("model shape", spec.shape, shape_names());
  if (spec.mode == DummyMode::kScript && shape->name != kScriptShape) {
    return fail(Errc::kInvalidArgument, fmt::format("there is no script mode of {}", shape->name),
                fmt::format("use the shape {}", kScriptShape));
  }
  const int64_t context = spec.context_length.value_or(1);
  if (context < 1 || context > std::numeric_limits<int32_t>::max()) {
    return fail(Errc::kInvalidArgument,
                fmt::format("the context length {} is not 1 to 2147483647", context));
  }
  return shape;
}

Result<void> check_room(const std::filesystem::path& directory, int64_t needed) {
  std::error_code error;
  const auto space = std::filesystem::space(directory, error);
  if (error) {
    const bool missing = error == std::errc::no_such_file_or_directory;
    return fail(missing ? Errc::kNotFound : Errc::kIo,
                fmt::format("cannot write to {}: {}", directory.string(), error.message()));
  }
  if (static_cast<uint64_t>(needed) > space.available) {
    return fail(
        Errc::kIo,
        fmt::format("not enough room in {}: the model takes {}, {} are free", directory.string(),
                    bytes_text(needed), bytes_text(static_cast<int64_t>(space.available))),
        "choose another directory, a smaller shape or fewer bits");
  }
  return {};
}

// A file beside its final place, removed again unless it is kept.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target)
      : target_(target),
        path_(fmt::format("{}.tmp{}", target.string(), ::getpid())),
        file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)),
        open_error_(file_.valid() ? 0 : errno) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (file_.valid() && !kept_) ::unlink(path_.c_str());
  }

  [[nodiscard]] Result<void> opened() const {
    if (file_.valid()) return {};
    return fail(Errc::kIo, fmt::format("cannot create {}: {}", path_, errno_text(open_error_)));
  }

  Result<void> write(std::string_view bytes) { return write_all(file_.get(), bytes, path_); }

  // Flushed first, so that the kernel does not write it back beneath the measurement that follows.
  Result<void> keep() {
    if (::fdatasync(file_.get()) != 0) {
      return fail(Errc::kIo, fmt::format("cannot sync {}: {}", path_, errno_text(errno)));
    }
    if (::rename(path_.c_str(), target_.c_str()) != 0) {
      return fail(Errc::kIo,
                  fmt::format("cannot rename to {}: {}", target_.string(), errno_text(errno)));
    }
    kept_ = true;
    return {};
  }

 private:
  std::filesystem::path target_;
  std::string path_;
  Fd file_;
  int open_error_;
  bool kept_ = false;
};

// Writes all bytes of one file and counts them.
class CountedOutput {
 public:
  CountedOutput(TemporaryFile& file, int64_t total, const DummyModelProgress& progress)
      : file_(file), total_(total), progress_(progress) {}

  Result<void> write(std::string_view bytes) {
    if (auto written = file_.write(bytes); !written) return written;
    done_ += static_cast<int64_t>(bytes.size());
    if (progress_ && !progress_(done_, total_)) {
      return fail(Errc::kCancelled, "stopped before the model was written");
    }
    return {};
  }

 private:
  TemporaryFile& file_;
  int64_t total_;
  int64_t done_ = 0;
  const DummyModelProgress& progress_;
};

Result<void> write_tensor(CountedOutput& output, const TensorPlan& tensor, TensorFiller& filler) {
  const int64_t rows_at_once = std::max<int64_t>(1, kWriteBytes / tensor.row_bytes());
  std::vector<uint8_t> buffer;
  for (int64_t row = 0; row < tensor.rows; row += rows_at_once) {
    const int64_t rows = std::min(rows_at_once, tensor.rows - row);
    const int64_t bytes = rows * tensor.row_bytes();
    buffer.resize(static_cast<size_t>(bytes));
    filler.fill_rows(buffer);
    if (row + rows == tensor.rows) {
      const int64_t padding = gguf_aligned(tensor.bytes()) - tensor.bytes();
      buffer.resize(static_cast<size_t>(bytes + padding), 0);
    }
    const std::string_view view(reinterpret_cast<const char*>(buffer.data()), buffer.size());
    if (auto written = output.write(view); !written) return written;
  }
  return {};
}

}  // namespace

Result<DummyModelSpec> parse_shape(std::string_view text) {
  const std::string lowered = to_lower(trim(text));
  const size_t colon = lowered.find(':');
  DummyModelSpec spec;
  spec.shape = lowered.substr(0, colon);
  if (find_model_shape(spec.shape) == nullptr) {
    return unknown("model shape", spec.shape, shape_names());
  }
  if (colon == std::string::npos) return spec;
  const std::string quantisation = lowered.substr(colon + 1);
  for (const QuantisationFormat& format : quantisation_formats()) {
    if (format.name == quantisation) {
      spec.quantisation = format.quantisation;
      return spec;
    }
  }
  return unknown("quantisation", quantisation, quantisation_names());
}

std::vector<ShapeInfo> known_shapes() {
  std::map<int64_t, Vocabulary> vocabularies;
  std::vector<ShapeInfo> shapes;
  for (const ModelShape& shape : model_shapes()) {
    if (!vocabularies.contains(shape.vocabulary)) {
      vocabularies.emplace(shape.vocabulary, build_vocabulary(shape.vocabulary));
    }
    DummyModelSpec spec;
    spec.shape = shape.name;
    // The quantisation changes values in the header but not its size.
    const std::vector<TensorPlan> any = plan_tensors(shape, spec.quantisation);
    const auto header = static_cast<int64_t>(
        header_bytes(spec, shape, vocabularies.at(shape.vocabulary), any).size());
    ShapeInfo info{.name = std::string(shape.name),
                   .parameters = parameter_count(shape),
                   .context_length = shape.context_length,
                   .sizes = {}};
    for (const QuantisationFormat& format : quantisation_formats()) {
      const int64_t data = data_bytes(plan_tensors(shape, format.quantisation));
      info.sizes.push_back({.quantisation = std::string(format.name), .file_bytes = header + data});
    }
    shapes.push_back(std::move(info));
  }
  return shapes;
}

Result<DummyModelInfo> write_dummy_model(const DummyModelSpec& spec,
                                         const std::filesystem::path& out,
                                         const DummyModelProgress& progress) {
  const auto checked = check(spec);
  if (!checked) return fail(checked.error());
  const ModelShape& shape = **checked;
  const Vocabulary vocabulary = build_vocabulary(shape.vocabulary);
  const std::vector<TensorPlan> tensors = plan_tensors(shape, spec.quantisation);
  const std::string header = header_bytes(spec, shape, vocabulary, tensors);
  const int64_t total = static_cast<int64_t>(header.size()) + data_bytes(tensors);

  const std::filesystem::path directory = out.has_parent_path() ? out.parent_path() : ".";
  if (auto room = check_room(directory, total); !room) return fail(room.error());
  TemporaryFile file(out);
  if (auto opened = file.opened(); !opened) return fail(opened.error());

  CountedOutput output(file, total, progress);
  if (auto written = output.write(header); !written) return fail(written.error());
  SplitMix64 seeds(spec.seed);
  const auto filler = spec.mode == DummyMode::kRandom ? random_filler : script_filler;
  for (const TensorPlan& tensor : tensors) {
    const auto rows = filler(shape, vocabulary, tensor, seeds());
    if (auto written = write_tensor(output, tensor, *rows); !written) return fail(written.error());
  }
  if (auto kept = file.keep(); !kept) return fail(kept.error());
  return DummyModelInfo{.path = out,
                        .architecture = std::string(architecture_name(shape.architecture)),
                        .parameters = parameter_count(shape),
                        .file_bytes = total};
}

}  // namespace assay
