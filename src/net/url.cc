#include "net/url.h"

#include <fmt/format.h>

#include <charconv>

#include "base/text.h"

namespace assay {
namespace {

bool is_ipv6(std::string_view host) { return host.find(':') != std::string_view::npos; }

std::string bracketed(const std::string& host) { return is_ipv6(host) ? '[' + host + ']' : host; }

}  // namespace

std::string Url::authority() const {
  const bool standard = port == (tls ? 443 : 80);
  return standard ? bracketed(host) : fmt::format("{}:{}", bracketed(host), port);
}

std::string Url::text() const {
  return fmt::format("{}://{}:{}{}", tls ? "https" : "http", bracketed(host), port, path);
}

bool Url::is_loopback() const {
  return host == "localhost" || host == "::1" || host.rfind("127.", 0) == 0;
}

Result<Url> parse_url(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(Errc::kInvalidArgument, fmt::format("'{}' is no server address: {}", text, why),
                "write it like http://127.0.0.1:8080");
  };
  Url url;
  std::string_view rest = trim(text);
  if (rest.empty()) return bad("it is empty");
  if (const size_t scheme = rest.find("://"); scheme != std::string_view::npos) {
    const std::string name = to_lower(rest.substr(0, scheme));
    if (name != "http" && name != "https") return bad("only http and https are spoken");
    url.tls = name == "https";
    rest.remove_prefix(scheme + 3);
  }
  for (const char c : rest) {
    if (c <= ' ' || c == 0x7f || c == '\\') return bad("it holds a blank or control character");
  }
  if (rest.find_first_of("?#") != std::string_view::npos) return bad("it has a query or fragment");
  const size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  url.path = rest.substr(slash);
  while (!url.path.empty() && url.path.back() == '/') url.path.pop_back();
  if (authority.find('@') != std::string_view::npos) {
    return bad("it holds a user name; give the key by ASSAY_API_KEY");
  }
  std::string_view port;
  if (!authority.empty() && authority.front() == '[') {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return bad("its bracket is not closed");
    url.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (!is_ipv6(url.host)) return bad("the brackets hold no IPv6 address");
  } else {
    const size_t colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (url.host.empty()) return bad("it names no host");
  if (port.empty()) {
    url.port = url.tls ? 443 : 80;
    return url;
  }
  if (port.front() != ':') return bad("something follows the host");
  port.remove_prefix(1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (error != std::errc() || end != port.data() + port.size() || url.port == 0) {
    return bad("its port is not between 1 and 65535");
  }
  return url;
}

}  // namespace assay
