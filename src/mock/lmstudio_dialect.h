#pragma once

#include <string>
#include <string_view>

#include "mock/stream_plan.h"

namespace assay {

/// `POST /api/v1/chat` of LM Studio as named events.
StreamPlan lm_studio_stream(const Reply& reply);

/// The same as one JSON object.
EventShape lm_studio_body(const Reply& reply);

/// What `POST /api/v0/chat/completions` adds to OpenAI's answer: the member `stats`.
std::string lm_studio_older_stats(const Reply& reply);

/// The error object of /api/v1. `param` may be empty.
std::string lm_studio_error(int status, std::string_view message, std::string_view param = {});

}  // namespace assay
