#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "net/http_server.h"

namespace assay {

class MockService;

/// A response and when it is due: loading takes the load time.
struct TimedResponse {
  std::string response;
  MonoNs due = 0;
};

/// The routes by which a model is loaded and unloaded: LM Studio's, those of llama-server's router
/// and vLLM's sleep. Absent for every other request.
std::optional<TimedResponse> model_response(const ServedRequest& request, MockService& service);

}  // namespace assay
