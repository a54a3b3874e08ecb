#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"

namespace assay {

/// What an HTTP/1.1 response said before its body. Header names are lower case.
struct ResponseHead {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;

  /// The first header of that (lower-case) name, empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// Incremental HTTP/1.1 response parser: chunked, content-length and close-delimited bodies, split
/// anywhere. One response; make a new one for the next.
class ResponseParser {
 public:
  ResponseParser();
  ~ResponseParser();
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  /// Takes all of `bytes` and passes body bytes on as they come. kProtocol when it is no HTTP.
  Result<void> feed(std::string_view bytes, FunctionRef<void(std::string_view)> on_body);
  /// The connection was closed. kProtocol when the response was not complete.
  Result<void> finish();

  [[nodiscard]] bool head_done() const;
  [[nodiscard]] bool done() const;
  /// Whether the connection can carry another request.
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] const ResponseHead& head() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace assay
