#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/response_parser.h"

namespace {

struct Parsed {
  std::string body;
  bool good = true;
  bool done = false;
  int status = 0;
};

Parsed parse(std::string_view bytes, size_t piece) {
  Parsed result;
  assay::ResponseParser parser;
  const auto on_body = [&](std::string_view part) { result.body += part; };
  while (!bytes.empty() && result.good && !parser.done()) {
    const std::string part(bytes.substr(0, piece));
    bytes.remove_prefix(part.size());
    result.good = parser.feed(part, on_body).has_value();
  }
  result.done = parser.done();
  if (result.good && parser.head_done()) result.status = parser.head().status;
  return result;
}

}  // namespace

/// However the network cuts a response, a complete one has the same body.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t piece = 1 + data[0] % 16;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Parsed whole = parse(bytes, bytes.size() + 1);
  const Parsed cut = parse(bytes, piece);
  if (whole.good && whole.done && cut.good && cut.done) {
    ASSAY_CHECK(whole.body == cut.body);
    ASSAY_CHECK(whole.status == cut.status);
  }
  return 0;
}
