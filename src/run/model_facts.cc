#include "run/model_facts.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "gguf/gguf_reader.h"

namespace assay {

void complete_from_file(ModelInfo& model) {
  const std::filesystem::path file(model.file);
  const bool is_complete = !model.architecture.empty() && !model.quantization.empty() &&
                           model.max_context && model.parameters && model.bytes;
  if (is_complete || !file.is_absolute()) return;
  const auto header = read_gguf_info(file);
  if (!header) return;
  if (model.architecture.empty()) model.architecture = header->architecture;
  if (model.quantization.empty()) {  // Written as servers write it.
    std::ranges::transform(
        header->quantisation, std::back_inserter(model.quantization),
        [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  }
  if (!model.max_context) model.max_context = header->context_length;
  // A part of a split model says nothing of the others' size.
  if (header->split && header->split->count > 1) return;
  if (!model.parameters && header->parameters > 0) model.parameters = header->parameters;
  if (!model.bytes) model.bytes = header->file_bytes;
}

}  // namespace assay
