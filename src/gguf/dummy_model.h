#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gguf/ggml_format.h"

namespace assay {

enum class DummyMode : uint8_t {
  kRandom,  ///< Random weights: the speed of the shape, and text that is printable noise.
  kScript,  ///< A known answer, for end-to-end tests. Only for the shape `tiny`.
};

/// A model file to make up: true tensor shapes, made-up weights and vocabulary.
struct DummyModelSpec {
  std::string shape = "tiny";  ///< A name out of known_shapes().
  Quantisation quantisation = Quantisation::kQ8_0;
  uint64_t seed = 1;  ///< The same spec gives the same bytes.
  DummyMode mode = DummyMode::kRandom;
  /// The context length the file states, in tokens; absent is what the model was trained for.
  std::optional<int64_t> context_length;
};

/// `llama-3.2-1b:q8_0`, or only the shape, which means q8_0. Case does not matter. kInvalidArgument
/// lists what is known and suggests the nearest.
Result<DummyModelSpec> parse_shape(std::string_view text);

struct QuantisedSize {
  std::string quantisation;
  int64_t file_bytes = 0;  ///< Of the file written in random mode with the usual context length.
};

struct ShapeInfo {
  std::string name;
  int64_t parameters = 0;
  int64_t context_length = 0;
  std::vector<QuantisedSize> sizes;  ///< Largest first.
};

/// Every shape there is, smallest first. Builds each vocabulary once: about a quarter of a second.
std::vector<ShapeInfo> known_shapes();

struct DummyModelInfo {
  std::filesystem::path path;
  std::string architecture;
  int64_t parameters = 0;
  int64_t file_bytes = 0;
};

/// Called on the writing thread about once a megabyte, and once at the end with `done == total`.
/// False stops the writing.
using DummyModelProgress = std::function<bool(int64_t done_bytes, int64_t total_bytes)>;

/// Writes the model to a temporary file beside `out`, flushes it to disk and renames it: `out` is
/// the old file or the whole new one. Holds the vocabulary and about a megabyte of weights in
/// memory. `progress` may be empty. Errors, none of which leave anything behind: kInvalidArgument
/// (unknown shape, script mode of another shape, context length not 1 to 2^31 - 1), kIo (no room,
/// or the system refused), kNotFound (no such directory), kCancelled (`progress` said so).
Result<DummyModelInfo> write_dummy_model(const DummyModelSpec& spec,
                                         const std::filesystem::path& out,
                                         const DummyModelProgress& progress = {});

/// What a model written in script mode says, word for word, to every prompt that ends in a line
/// end, as every chat prompt does: twelve tokens, then EOS. Holds at temperature 0, and all but
/// surely up to temperature 1. A text that ends in one of these words is gone on with from there.
inline constexpr std::string_view kScriptAnswer =
    "A river of light runs down from the mountain to our city";

/// What it says after any other text, over and over and without EOS: after one of these words it
/// goes on with the next, after anything else it begins. So it does after the answer when EOS is
/// ignored.
inline constexpr std::string_view kScriptCycle =
    " one two three four five six seven eight nine ten";

}  // namespace assay
