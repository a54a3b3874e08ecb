#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace assay {

/// What a manifest of Ollama's store says that matters here.
struct OllamaManifest {
  std::optional<std::string> model;      ///< SHA-256 of its GGUF file; absent for remote models.
  std::optional<std::string> projector;  ///< The same of its projector.
  bool has_tensors = false;              ///< Its weights are single tensors, not a GGUF file.
};

/// kProtocol for bytes that are no manifest.
Result<OllamaManifest> parse_ollama_manifest(std::string_view text);

/// How Ollama calls the model of a manifest at `path` below `manifests/`: `llama3.2:1b` for
/// `registry.ollama.ai/library/llama3.2/1b`, with the parts that are not the usual ones in front.
/// Absent for a path that names no model.
std::optional<std::string> ollama_name(std::string_view path);

}  // namespace assay
