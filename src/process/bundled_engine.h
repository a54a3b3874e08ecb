#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "process/child.h"

namespace assay {

/// What the bundled engine serves and how.
struct BundledSpec {
  std::filesystem::path gguf;
  std::string alias;     ///< The model's name towards clients.
  int64_t threads = 0;   ///< 0: as many as suit the model.
  int64_t context = 0;   ///< Tokens per slot; 0: the engine's choice.
  int64_t parallel = 1;  ///< Slots.
};

/// The llama.cpp engine that comes with Assay, running as a child.
struct BundledEngine {
  BundledSpec spec;
  std::unique_ptr<Child> child;
  std::string url;
  int64_t threads = 0;
  int64_t context = 0;
  double load_ms = 0;   ///< The model's loading, by the engine.
  double start_ms = 0;  ///< From the start of the program to its ready line, by us.
};

/// Where the engine's files are: `$ASSAY_ENGINE_DIR`, else `engine` beside the program, above it
/// or in the source tree. kNotFound says how to install it.
Result<std::filesystem::path> find_engine_directory();

/// Starts it and waits until it is ready, at most `timeout`.
Result<BundledEngine> start_bundled_engine(const BundledSpec& spec,
                                           Nanos timeout = std::chrono::minutes(5));

}  // namespace assay
