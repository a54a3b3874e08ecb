#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "model/call_record.h"

namespace assay {

/// What tells whoever watches the traffic that a call is a test's, and which.
struct CallTags {
  std::string prefix;  ///< Of the headers: `X-Example`.
  std::string run_id, cell_id, prompt_id;
  Phase phase = Phase::kMeasure;
  int64_t run_idx = 0;
  std::string harness_version;
};

/// `PREFIX-Test: true`, PREFIX-Benchmark-Run-Id, -Benchmark-Cell-Id, -Benchmark-Prompt-Id,
/// -Benchmark-Phase, -Benchmark-Run-Idx, and PREFIX-Harness-Version. What is not printable ASCII
/// in a value is percent-encoded.
std::vector<std::pair<std::string, std::string>> tag_headers(const CallTags& tags);

/// The body's member `metadata`: the same under source 004's names.
nlohmann::ordered_json tag_metadata(const CallTags& tags);

}  // namespace assay
