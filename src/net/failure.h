#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace assay {

/// Why an exchange with a server failed. `code` is one of the record's error codes.
struct Failure {
  std::string_view code;  ///< A string literal.
  std::string message;

  Failure(std::string_view error_code, std::string what)
      : code(error_code), message(std::move(what)) {}
};

/// The error codes that the network makes. The whole list: docs/formats/ledger.md.
namespace failure {
inline constexpr std::string_view kDns = "dns";
inline constexpr std::string_view kConnect = "connect";
inline constexpr std::string_view kTls = "tls";
inline constexpr std::string_view kClosed = "closed";
inline constexpr std::string_view kReset = "reset";
inline constexpr std::string_view kHttpSyntax = "http_syntax";
inline constexpr std::string_view kIncomplete = "incomplete";
inline constexpr std::string_view kOverLimit = "over_limit";
}  // namespace failure

}  // namespace assay
