#pragma once

#include <string>

#include "net/http_server.h"

namespace assay {

class MockService;

// What llama-server tells of itself beside OpenAI's routes, alone and as a router of several
// models. A router answers questions about a model that is loaded, by `?model=`.

std::string llama_models(const ServedRequest& request, MockService& service);
std::string llama_props(const ServedRequest& request, MockService& service);
std::string llama_metrics(const ServedRequest& request, MockService& service);
std::string slots_response(const ServedRequest& request, MockService& service);
std::string router_models(const ServedRequest& request, MockService& service);
std::string router_props(const ServedRequest& request, MockService& service);
std::string router_slots(const ServedRequest& request, MockService& service);
std::string router_metrics(const ServedRequest& request, MockService& service);

}  // namespace assay
