#pragma once

#include <string>
#include <string_view>

#include "mock/stream_plan.h"

namespace assay {

/// `POST /api/chat` and `/api/generate` as lines of JSON.
StreamPlan ollama_stream(const Reply& reply);

/// The same as one JSON object.
EventShape ollama_body(const Reply& reply);

/// The answer to a request without a prompt: `done_reason` load or unload.
std::string ollama_load_body(const Call& call);

std::string ollama_error(std::string_view message);

}  // namespace assay
