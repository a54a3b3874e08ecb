#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_server.h"

namespace assay {

enum class Api : uint8_t {
  kOpenAiChat,
  kOpenAiText,
  kOllamaChat,
  kOllamaGenerate,
  kLmStudioChat,      ///< /api/v1/chat
  kLmStudioOlderChat  ///< /api/v0/chat/completions
};

inline bool is_ollama(Api api) { return api == Api::kOllamaChat || api == Api::kOllamaGenerate; }

/// A generation request, free of its dialect.
struct Call {
  Api api = Api::kOpenAiChat;
  std::string model;
  std::string prompt;     ///< All message contents, joined by line ends.
  std::string last_user;  ///< What a script matches.
  bool empty = false;     ///< No messages, no prompt: on Ollama it only loads the model.
  bool stream = false;
  bool has_stream_options = false;
  bool include_usage = false;
  bool exact_length = false;  ///< ignore_eos, or min_tokens at max_tokens.
  bool think = true;          ///< The request did not turn reasoning off.
  bool unload = false;        ///< keep_alive 0.
  bool stamped = false;       ///< X-Assay-Stamp: 1.
  std::optional<int64_t> max_tokens, min_tokens, num_ctx, num_gpu;
  std::string tool;  ///< Name of the first tool offered, or empty.
  MonoNs received = 0;
};

/// kInvalidArgument with a sentence for the 400 body.
Result<Call> parse_call(Api api, const ServedRequest& request);

}  // namespace assay
