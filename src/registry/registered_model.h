#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gguf/gguf_reader.h"
#include "registry/place.h"

namespace assay {

enum class ModelState : uint8_t {
  kWhole,       ///< All files are there and their headers are sound.
  kIncomplete,  ///< Parts of it are missing.
  kBroken,      ///< A file is not what it should be.
  kShadowed,    ///< Another directory's model comes first: they have the same identity.
  kMissing,     ///< A scan found it before; its file is gone.
};

enum class ModelKind : uint8_t {
  kText,        ///< Generates text: the only kind that is benchmarked.
  kEmbedding,   ///< Makes vectors of texts.
  kProjector,   ///< Turns pictures or sound into what another model reads.
  kAdapter,     ///< Changes another model's weights.
  kVocabulary,  ///< Has no weights.
};

std::string_view to_text(ModelState state);
std::string_view to_text(ModelKind kind);

/// A model as a scan found it, and what is known of it. All counts are those of all its parts.
struct RegisteredModel {
  ListedModel listed;
  std::string fingerprint;
  ModelState state = ModelState::kWhole;
  std::string reason;  ///< Why it is not whole: one sentence; empty when it is.
  ModelKind kind = ModelKind::kText;
  std::optional<GgufInfo> header;  ///< Absent when no part describes the model.
  int64_t bytes = 0;               ///< Of the parts that are there.
  int64_t mtime_ns = 0;            ///< The newest of them.
  /// SHA-256 of its file; of several parts see set_digest(). Absent until it was computed.
  std::optional<std::string> digest;
  // The three facts of eligibility.
  bool present = false;  ///< All of its files are there.
  bool enabled = false;
  bool benchmark = false;
};

}  // namespace assay
