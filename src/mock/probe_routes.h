#pragma once

#include <string>

#include "net/http_server.h"

namespace assay {

class MockService;

/// Whether `--api-key` guards the route: all but health checks and the mock's own statistics.
bool needs_key(const ServedRequest& request);

/// The whole response of a route that generates nothing; 404 for routes that the flavor lacks.
std::string probe_response(const ServedRequest& request, MockService& service);

}  // namespace assay
