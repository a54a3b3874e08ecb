#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "mock/options.h"

namespace assay {

// What routes of several dialects share: the one model that the mock pretends to have, and answers.

inline constexpr std::string_view kJsonType = "application/json";
inline constexpr int64_t kMockModelBytes = 1'000'000'000;
/// Fixed, so that listings are the same from run to run.
inline constexpr int64_t kMockModelDate_s = 1'767'225'600;

/// The context that is shown where none is set, too.
int64_t shown_ctx(const MockOptions& options);

/// A response of 200 with the document.
std::string ok_json(const nlohmann::ordered_json& body);

}  // namespace assay
