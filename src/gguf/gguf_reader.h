#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace assay {

/// What generating one token costs, by the tensors' sizes.
struct GgufCost {
  double weight_bytes = 0;   ///< Weights that are read; of an embedding only one row.
  double context_bytes = 0;  ///< For each token of context, as 16-bit floats; 0 when not told.
  double operations = 0;     ///< Of a prompt's token, which does not go through the output matrix.
};

/// Which part of a split model a file is, by its header.
struct GgufSplit {
  int64_t no = 0;  ///< From 0 on.
  int64_t count = 0;
  std::optional<int64_t> tensors;  ///< Of all parts.
};

/// What the header of a GGUF file says about its model.
struct GgufInfo {
  std::string architecture;  ///< Such as `llama`.
  std::string name;          ///< Empty when the file gives none.
  std::string type;          ///< `model`, `mmproj`, `adapter` …; empty when the file gives none.
  /// Such as `q4_k_m`: by `general.file_type`, or the commonest matrix format where there is none;
  /// empty when neither is known.
  std::string quantisation;
  int64_t parameters = 0;  ///< The sum of all tensors' values.
  std::optional<int64_t> context_length;
  std::optional<int64_t> layers;      ///< Repeating ones; the output layer is not among them.
  std::optional<int64_t> vocabulary;  ///< Rows of the token embedding.
  /// Keys and values of a token in all layers, as 16-bit floats. Absent where the header does not
  /// tell, as for models without attention. Windows that forget are not taken into account.
  std::optional<double> cache_bytes_per_token;
  /// Values of matrices by tensor format; `type 99` is one that this version does not know.
  std::map<std::string, int64_t> matrix_values;
  bool chat_template = false;
  bool is_embedding = false;       ///< Makes a vector of a text.
  std::optional<GgufSplit> split;  ///< Absent for a model in one file.
  bool random_weights = false;     ///< Made by Assay: speed is real, text is noise.
  bool scripted = false;           ///< Made by Assay to give one known answer.
  int64_t tensors = 0;
  int64_t file_bytes = 0;
  /// What a token costs to generate. Absent for mixtures of experts, which read a part of their
  /// weights, and for tensor formats this version does not know.
  std::optional<GgufCost> token_cost;
};

/// Reads the header only, through a buffer of fixed size; values it does not need are skipped, not
/// held. Accepts versions 2 and 3, little endian. Every count and length is checked against a limit
/// and against the file's size. kNotFound or kIo for the file itself; kInvalidArgument for one that
/// is not GGUF, is malformed, or is shorter than its header says.
Result<GgufInfo> read_gguf_info(const std::filesystem::path& path);

/// The same for an open file of `file_bytes` bytes, read from its start. `name` is for messages.
Result<GgufInfo> read_gguf_info(int fd, int64_t file_bytes, std::string_view name);

}  // namespace assay
