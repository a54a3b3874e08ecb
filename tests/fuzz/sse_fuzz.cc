#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "net/sse_parser.h"

namespace {

/// The stream's events when it comes in pieces of that many bytes; the last entry says whether it
/// stayed within its limits.
std::vector<std::string> events_of(std::string_view stream, size_t piece) {
  std::vector<std::string> events;
  assay::SseParser parser;
  bool fits = true;
  while (!stream.empty() && fits) {
    const std::string part(stream.substr(0, piece));
    stream.remove_prefix(part.size());
    fits = parser.feed(part, [&](std::string_view type, std::string_view data) {
      events.push_back(std::string(type) + '\n' + std::string(data));
    });
  }
  events.emplace_back(fits ? "fits" : "too large");
  return events;
}

}  // namespace

/// However the network cuts a stream, its events are the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t piece = 1 + data[0] % 16;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  ASSAY_CHECK(events_of(stream, stream.size() + 1) == events_of(stream, piece));
  return 0;
}
