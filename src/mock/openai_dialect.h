#pragma once

#include <string>
#include <string_view>

#include "mock/options.h"
#include "mock/stream_plan.h"

namespace assay {

/// `POST /v1/chat/completions` and `/v1/completions`, streamed.
StreamPlan openai_stream(const Reply& reply);

/// The same as one JSON object.
EventShape openai_body(const Reply& reply);

/// The error object of OpenAI, or of llama-server for its flavors.
std::string openai_error(Flavor flavor, int status, std::string_view message);

/// 400 for a prompt that the context does not hold.
std::string context_error(Flavor flavor, int64_t prompt_tokens, int64_t ctx);

}  // namespace assay
