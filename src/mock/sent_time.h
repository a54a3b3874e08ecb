#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace assay {

/// When the simulated engine sent an event, by the event's own `assay_sent_ns`; absent where it was
/// not asked for one (`X-Assay-Stamp: 1`).
inline std::optional<MonoNs> sent_time(std::string_view payload) {
  constexpr std::string_view kKey = "\"assay_sent_ns\":";
  const size_t at = payload.find(kKey);
  if (at == std::string_view::npos) return std::nullopt;
  payload.remove_prefix(at + kKey.size());
  payload.remove_prefix(std::min(payload.find_first_not_of(' '), payload.size()));
  MonoNs value = 0;
  const auto [end, error] = std::from_chars(payload.data(), payload.data() + payload.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

}  // namespace assay
