#pragma once

#include <string>

#include "net/http_server.h"

namespace assay {

class MockService;

// What LM Studio, vLLM and llama-server's router tell of themselves beside OpenAI's routes.

std::string lm_studio_models(const ServedRequest& request, MockService& service);
std::string lm_studio_older_models(const ServedRequest& request, MockService& service);
std::string lm_studio_downloads(const ServedRequest& request, MockService& service);
std::string router_models(const ServedRequest& request, MockService& service);
std::string router_props(const ServedRequest& request, MockService& service);
std::string slots_response(const ServedRequest& request, MockService& service);
std::string vllm_models(const ServedRequest& request, MockService& service);
std::string vllm_version(const ServedRequest& request, MockService& service);
std::string vllm_metrics(const ServedRequest& request, MockService& service);
std::string vllm_tokenize(const ServedRequest& request, MockService& service);
std::string vllm_is_sleeping(const ServedRequest& request, MockService& service);

}  // namespace assay
