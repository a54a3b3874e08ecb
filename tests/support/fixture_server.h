#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/files.h"
#include "net/http_server.h"
#include "net/url.h"

namespace assay::test {

/// A server on a session's own loop that answers each `METHOD path` with a file of
/// tests/golden/servers, and everything else with 404.
class FixtureServer {
 public:
  FixtureServer(boost::asio::io_context& io, std::map<std::string, std::string> files)
      : files_(std::move(files)) {
    auto listening =
        HttpServer::listen(io, 0, [this](const ServedRequest& request, HttpConnection& connection) {
          return answer(request, connection);
        });
    if (listening) server_ = std::move(*listening);
  }

  [[nodiscard]] Url url() const {
    return *parse_url("http://127.0.0.1:" + std::to_string(server_->port()));
  }

 private:
  Task<void> answer(const ServedRequest& request, HttpConnection& connection) {
    const auto found = files_.find(request.method + " " + request.path);
    std::string response = http_response(404, "application/json", "{}");
    if (found != files_.end()) {
      const auto text = read_file(std::string(ASSAY_TEST_DATA) + "/servers/" + found->second);
      if (text) response = http_response(200, "application/json", *text);
    }
    co_await connection.send(response);
  }

  std::map<std::string, std::string> files_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace assay::test
