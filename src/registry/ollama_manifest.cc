#include "registry/ollama_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace assay {
namespace {

/// The hex digits of `sha256:…`; anything else could name a file elsewhere.
std::optional<std::string> sha256_of(const nlohmann::json& digest) {
  constexpr std::string_view kAlgorithm = "sha256:";
  constexpr size_t kDigits = 64;
  if (!digest.is_string()) return std::nullopt;
  const auto& text = digest.get_ref<const std::string&>();
  if (!text.starts_with(kAlgorithm) || text.size() != kAlgorithm.size() + kDigits) {
    return std::nullopt;
  }
  const std::string hex = text.substr(kAlgorithm.size());
  const bool plain = std::ranges::all_of(
      hex, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return plain ? std::optional(hex) : std::nullopt;
}

}  // namespace

Result<OllamaManifest> parse_ollama_manifest(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("layers") || !json["layers"].is_array()) {
    return fail(Errc::kProtocol, "it is no manifest: it lists no layers");
  }
  OllamaManifest manifest;
  for (const auto& layer : json["layers"]) {
    if (!layer.is_object() || !layer.contains("mediaType") || !layer.contains("digest")) continue;
    const auto& type = layer["mediaType"];
    if (type == "application/vnd.ollama.image.model") {
      manifest.model = sha256_of(layer["digest"]);
      if (!manifest.model) return fail(Errc::kProtocol, "it names its weights by no SHA-256");
    } else if (type == "application/vnd.ollama.image.projector") {
      manifest.projector = sha256_of(layer["digest"]);
    } else if (type == "application/vnd.ollama.image.tensor") {
      manifest.has_tensors = true;
    }
  }
  return manifest;
}

std::optional<std::string> ollama_name(std::string_view path) {
  const auto parts = split(path, '/');
  if (parts.size() != 4) return std::nullopt;
  if (std::ranges::any_of(parts, &std::string::empty)) return std::nullopt;
  const std::string model = fmt::format("{}:{}", parts[2], parts[3]);
  if (parts[0] != "registry.ollama.ai") return fmt::format("{}/{}/{}", parts[0], parts[1], model);
  return parts[1] == "library" ? model : fmt::format("{}/{}", parts[1], model);
}

}  // namespace assay
