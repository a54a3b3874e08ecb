#include "mock/stats.h"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>

namespace assay {

namespace {

/// Different paths and models that are counted apart; the rest is counted as `(other)`.
constexpr size_t kMostNames = 10'000;

int64_t& counter(std::map<std::string, int64_t, std::less<>>& counters, std::string_view name) {
  const auto found = counters.find(name);
  if (found != counters.end()) return found->second;
  if (counters.size() >= kMostNames) return counters["(other)"];
  return counters[std::string(name)];
}

double milliseconds(Nanos value) { return static_cast<double>(value.count()) / 1e6; }

}  // namespace

void LatenessHistogram::add(Nanos value) {
  const auto v = static_cast<uint64_t>(std::max<int64_t>(value.count(), 0));
  size_t index = v;
  if (v >= 64) {
    const auto exponent = static_cast<size_t>(std::bit_width(v) - 1);
    index = (exponent - 5) * 64 + ((v >> (exponent - 6)) & 63);
  }
  ++buckets_[index];
  ++count_;
  max_ = std::max(max_, value);
}

Nanos LatenessHistogram::quantile(double p) const {
  const auto wanted = static_cast<int64_t>(p * static_cast<double>(count_));
  int64_t seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen <= wanted) continue;
    if (i < 64) return Nanos(static_cast<int64_t>(i));
    const size_t exponent = i / 64 + 5;
    return Nanos(static_cast<int64_t>((uint64_t{1} << exponent) | ((i & 63) << (exponent - 6))));
  }
  return max_;
}

void MockStats::count_request(std::string_view path) {
  ++requests;
  ++counter(by_path, path);
}

int64_t MockStats::count_attempt(const std::string& model) { return ++counter(attempts, model); }

std::string MockStats::json() const {
  const nlohmann::json out = {{"requests", requests},
                              {"by_path", by_path},
                              {"by_model", by_model},
                              {"attempts", attempts},
                              {"active", active},
                              {"active_max", active_max},
                              {"queued", queued},
                              {"open_streams", open_streams},
                              {"prompt_tokens", prompt_tokens},
                              {"output_tokens", output_tokens},
                              {"events_sent", events_sent},
                              {"writes", writes},
                              {"client_gone", client_gone},
                              {"reset_connections", reset_connections},
                              {"lateness_ms",
                               {{"count", lateness.count()},
                                {"p50", milliseconds(lateness.quantile(0.5))},
                                {"p99", milliseconds(lateness.quantile(0.99))},
                                {"max", milliseconds(lateness.max())}}}};
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void MockStats::reset() {
  MockStats fresh;
  fresh.active = active;
  fresh.active_max = active;
  fresh.queued = queued;
  fresh.open_streams = open_streams;
  *this = std::move(fresh);
}

}  // namespace assay
