#include "run/server_counters.h"

#include <algorithm>

#include "run/wait_for.h"

namespace assay {
namespace {

std::optional<int64_t> growth(std::optional<int64_t> before, std::optional<int64_t> after) {
  if (!before || !after || *after < *before) return std::nullopt;
  return *after - *before;
}

}  // namespace

std::vector<ServerCounters> read_counters(Session& session) {
  constexpr Nanos kTimeout = std::chrono::seconds(2);
  std::vector<ServerCounters> all;
  std::vector<const Engine*> asked;
  for (const LiveCell& live : session.cells) {
    const Engine* engine = live.engine.get();
    if (engine == nullptr || std::find(asked.begin(), asked.end(), engine) != asked.end()) continue;
    asked.push_back(engine);
    auto counters = session.wait_for(live.engine->counters(kTimeout));
    if (!counters) continue;
    counters->url = live.cell.url;
    all.push_back(std::move(*counters));
  }
  return all;
}

std::vector<ServerCounters> counted_since(const std::vector<ServerCounters>& before,
                                          const std::vector<ServerCounters>& after) {
  std::vector<ServerCounters> grown;
  for (const ServerCounters& b : before) {
    const auto a = std::find_if(after.begin(), after.end(),
                                [&](const ServerCounters& c) { return c.url == b.url; });
    if (a == after.end()) continue;
    grown.push_back({b.url, growth(b.prompt_tokens, a->prompt_tokens),
                     growth(b.output_tokens, a->output_tokens)});
  }
  return grown;
}

}  // namespace assay
