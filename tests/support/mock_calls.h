#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "mock/mock_server.h"
#include "support/blocking_client.h"

namespace assay::test {

using Json = nlohmann::json;

/// Options that answer at once: no waits but those a test asks for.
inline MockOptions quick_options() {
  MockOptions options;
  options.ttft = Nanos(0);
  options.gap = Nanos(0);
  options.tokens = 8;
  return options;
}

inline std::unique_ptr<MockServer> start_mock(MockOptions options = quick_options()) {
  auto server = MockServer::start(std::move(options));
  return server ? std::move(*server) : nullptr;
}

inline Json chat_request(std::string_view model = "mock", bool stream = true,
                         std::string_view prompt = "hello there") {
  Json request = {{"model", model}, {"stream", stream}};
  request["messages"] = Json::array({{{"role", "user"}, {"content", prompt}}});
  return request;
}

inline Reply post(const MockServer& server, std::string_view path, const Json& body,
                  std::string_view headers = {}, int limit_ms = BlockingClient::kLimit_ms) {
  return http(server.port(), "POST", path, body.dump(), headers, limit_ms);
}

inline Reply chat(const MockServer& server, const Json& body, std::string_view headers = {}) {
  return post(server, "/v1/chat/completions", body, headers);
}

inline Json get(const MockServer& server, std::string_view path) {
  return Json::parse(http(server.port(), "GET", path).body, nullptr, false);
}

/// The data of each whole SSE event; several data lines are joined by a line end.
inline std::vector<std::string> sse_data(std::string_view body) {
  std::vector<std::string> events;
  std::string data;
  bool any = false;
  while (!body.empty()) {
    const size_t end = body.find('\n');
    if (end == std::string_view::npos) break;
    std::string_view line = body.substr(0, end);
    body.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("data:")) {
      line.remove_prefix(line.starts_with("data: ") ? 6 : 5);
      if (any) data += '\n';
      data += line;
      any = true;
    } else if (line.empty() && any) {
      events.push_back(std::exchange(data, {}));
      any = false;
    }
  }
  return events;
}

/// The JSON events of a stream, without `[DONE]`; broken ones are `discarded`.
inline std::vector<Json> sse_json(std::string_view body) {
  std::vector<Json> events;
  for (const std::string& data : sse_data(body)) {
    if (data != "[DONE]") events.push_back(Json::parse(data, nullptr, false));
  }
  return events;
}

/// The whole lines; what comes after the last line end is left out.
inline std::vector<Json> ndjson(std::string_view body) {
  std::vector<Json> lines;
  const size_t end = body.rfind('\n');
  if (end == std::string_view::npos) return lines;
  for (const std::string& line : split(body.substr(0, end), '\n')) {
    if (!line.empty()) lines.push_back(Json::parse(line, nullptr, false));
  }
  return lines;
}

/// A member of each choice's delta, joined: the streamed text.
inline std::string streamed(const std::vector<Json>& events, const char* member = "content") {
  std::string text;
  for (const Json& event : events) {
    if (!event.is_object() || !event.contains("choices") || event["choices"].empty()) continue;
    const Json delta = event["choices"][0].value("delta", Json::object());
    if (delta.contains(member) && delta[member].is_string()) {
      text += delta[member].get<std::string>();
    }
  }
  return text;
}

inline bool has_done(const Reply& reply) {
  const auto data = sse_data(reply.body);
  return !data.empty() && data.back() == "[DONE]";
}

/// The last finish_reason that is not null, or empty.
inline std::string finish_reason(const std::vector<Json>& events) {
  std::string reason;
  for (const Json& event : events) {
    if (!event.is_object() || !event.contains("choices") || event["choices"].empty()) continue;
    const Json& value = event["choices"][0]["finish_reason"];
    if (value.is_string()) reason = value.get<std::string>();
  }
  return reason;
}

}  // namespace assay::test
