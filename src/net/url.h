#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace assay {

/// A server's base address. http and https only; user information, queries and fragments are
/// refused.
struct Url {
  bool tls = false;
  std::string host;  ///< Without brackets.
  uint16_t port = 0;
  std::string path;  ///< Without a trailing slash; empty for the root.

  /// `host:port` as the Host header wants it, the default port left out.
  [[nodiscard]] std::string authority() const;
  /// `http://host:port/path`
  [[nodiscard]] std::string text() const;
  /// Whether the host is this machine's loopback: 127.0.0.0/8, ::1 or localhost.
  [[nodiscard]] bool is_loopback() const;
};

/// `127.0.0.1:8080` is read as http. kInvalidArgument names what is wrong.
Result<Url> parse_url(std::string_view text);

}  // namespace assay
