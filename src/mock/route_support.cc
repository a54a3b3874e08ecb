#include "mock/route_support.h"

#include <nlohmann/json.hpp>

#include "net/http_server.h"

namespace assay {

int64_t shown_ctx(const MockOptions& options) {
  constexpr int64_t kDefaultCtx = 131'072;
  return options.ctx > 0 ? options.ctx : kDefaultCtx;
}

std::string ok_json(const nlohmann::ordered_json& body) {
  return http_response(200, kJsonType,
                       body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace assay
