#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "engines/engine.h"

namespace {

/// One of each kind.
std::vector<std::unique_ptr<assay::Engine>>& engines() {
  static boost::asio::io_context io;
  static assay::HttpClient http(io);
  static std::vector<std::unique_ptr<assay::Engine>> all = [] {
    std::vector<std::unique_ptr<assay::Engine>> made;
    for (const assay::EngineEntry& entry : assay::engine_table()) {
      made.push_back(entry.make(http, assay::Url(), assay::Secret()));
    }
    return made;
  }();
  return all;
}

bool is_count(const std::optional<int64_t>& count) {
  return !count || (*count >= 0 && *count <= 1'000'000'000);
}

}  // namespace

/// Whatever a server sends as an event, every adapter reads it or refuses it, and no count is
/// absurd.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view payload(reinterpret_cast<const char*>(data), size);
  for (const auto& engine : engines()) {
    assay::Delta delta;
    size_t error_at = 0;
    engine->decode(payload, delta, error_at);
    ASSAY_CHECK(is_count(delta.prompt_tokens) && is_count(delta.output_tokens));
    ASSAY_CHECK(is_count(delta.engine.output_tokens) && is_count(delta.cached_tokens));
    // The texts can be read: they lie in the last event.
    const std::string texts = std::string(delta.text) + std::string(delta.reasoning) +
                              std::string(delta.error) + std::string(delta.finish_reason);
    ASSAY_CHECK(texts.size() <= 4 * payload.size());
  }
  return 0;
}
