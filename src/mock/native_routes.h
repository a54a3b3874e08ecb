#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "net/http_server.h"

namespace assay {

class MockService;

// What LM Studio and vLLM tell of themselves beside OpenAI's routes.

/// How a model is loaded, as LM Studio puts it.
nlohmann::ordered_json lm_studio_config(const std::string& model, MockService& service);
std::string lm_studio_models(const ServedRequest& request, MockService& service);
std::string lm_studio_older_models(const ServedRequest& request, MockService& service);
std::string lm_studio_downloads(const ServedRequest& request, MockService& service);
std::string vllm_models(const ServedRequest& request, MockService& service);
std::string vllm_version(const ServedRequest& request, MockService& service);
std::string vllm_metrics(const ServedRequest& request, MockService& service);
std::string vllm_tokenize(const ServedRequest& request, MockService& service);
std::string vllm_is_sleeping(const ServedRequest& request, MockService& service);

}  // namespace assay
