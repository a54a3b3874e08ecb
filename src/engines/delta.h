#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "model/call_record.h"

namespace assay {

/// A step of the engine before its first token, where the dialect tells of it.
enum class Stage : uint8_t { kNone, kLoadStart, kLoadEnd, kPrefillStart, kPrefillEnd };

/// What one event of an engine's stream says, whatever the dialect. Views last until the next event
/// is decoded.
struct Delta {
  bool has_choice = false;  ///< It speaks of the answer at all (not usage or control only).
  std::string_view text;
  std::string_view reasoning;
  std::string_view refusal;
  std::string_view tool_name;
  std::string_view tool_args;
  std::string_view finish_reason;
  std::string_view error;  ///< An error object inside the stream.
  bool has_error = false;
  bool done = false;           ///< The dialect's terminating event.
  bool untold_finish = false;  ///< It never says why an answer ended: the counts tell.
  Stage stage = Stage::kNone;
  bool is_step = false;    ///< Of the engine's work before its answer: no event of the answer.
  bool bad_usage = false;  ///< Counts outside any sense, such as negative ones; they are left out.
  std::optional<int64_t> prompt_tokens;
  std::optional<int64_t> output_tokens;
  std::optional<int64_t> cached_tokens;
  std::optional<int64_t> reasoning_tokens;
  EngineFigures engine;

  [[nodiscard]] bool bears_text() const {
    return !text.empty() || !reasoning.empty() || !refusal.empty() || !tool_name.empty() ||
           !tool_args.empty();
  }
};

}  // namespace assay
