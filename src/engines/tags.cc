#include "engines/tags.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace assay {
namespace {

std::string header_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c > ' ' && c <= '~' && c != '%') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> tag_headers(const CallTags& tags) {
  const auto named = [&](std::string_view name) { return fmt::format("{}-{}", tags.prefix, name); };
  return {{named("Test"), "true"},
          {named("Benchmark-Run-Id"), header_value(tags.run_id)},
          {named("Benchmark-Cell-Id"), header_value(tags.cell_id)},
          {named("Benchmark-Prompt-Id"), header_value(tags.prompt_id)},
          {named("Benchmark-Phase"), std::string(to_text(tags.phase))},
          {named("Benchmark-Run-Idx"), std::to_string(tags.run_idx)},
          {named("Harness-Version"), header_value(tags.harness_version)}};
}

nlohmann::ordered_json tag_metadata(const CallTags& tags) {
  return {{"test", true},
          {"benchmark_run_id", tags.run_id},
          {"benchmark_cell_id", tags.cell_id},
          {"benchmark_prompt_id", tags.prompt_id},
          {"benchmark_phase", to_text(tags.phase)},
          {"benchmark_run_idx", tags.run_idx},
          {"harness_version", tags.harness_version}};
}

}  // namespace assay
