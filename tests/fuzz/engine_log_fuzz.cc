#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "supervise/engine_log.h"
#include "supervise/recipe.h"

namespace {

assay::EngineLog read_in(std::string_view text, size_t piece) {
  assay::EngineLog log(assay::llama_server_recipe().log);
  for (size_t at = 0; at < text.size(); at += piece) log.feed(text.substr(at, piece));
  return log;
}

}  // namespace

/// Whatever an engine writes and however it comes, it is read the same, and within the limits.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t piece = 1 + data[0] % 16;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  assay::EngineLog whole = read_in(text, text.size() + 1);
  assay::EngineLog cut = read_in(text, piece);
  ASSAY_CHECK(whole.failure() == cut.failure());
  ASSAY_CHECK(whole.telling_line() == cut.telling_line());
  ASSAY_CHECK(whole.telling_line().size() <= assay::EngineLog::kMaxLineBytes);
  ASSAY_CHECK(whole.gpu_layers == cut.gpu_layers && whole.threads == cut.threads);
  ASSAY_CHECK(whole.take_ready() == cut.take_ready());
  ASSAY_CHECK(whole.port_taken() == cut.port_taken());
  return 0;
}
