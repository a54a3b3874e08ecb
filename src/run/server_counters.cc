#include "run/server_counters.h"

#include <algorithm>

#include "run/wait_for.h"

namespace assay {
namespace {

constexpr Nanos kTimeout = std::chrono::seconds(2);

std::optional<int64_t> growth(std::optional<int64_t> before, std::optional<int64_t> after) {
  if (!before || !after || *after < *before) return std::nullopt;
  return *after - *before;
}

}  // namespace

std::vector<ServerCounters> read_counters(Session& session) {
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
    ServerCounters& grew = grown.emplace_back();
    grew.url = b.url;
    grew.prompt_tokens = growth(b.prompt_tokens, a->prompt_tokens);
    grew.output_tokens = growth(b.output_tokens, a->output_tokens);
    grew.prefix_queries = growth(b.prefix_queries, a->prefix_queries);
    grew.prefix_hits = growth(b.prefix_hits, a->prefix_hits);
  }
  return grown;
}

Task<void> StageCounters::begin(const RunMeta& meta, std::set<int64_t> legs) {
  legs_ = std::move(legs);
  cells_.clear();
  std::set<const Engine*> engines;
  for (const int64_t leg : legs_) {
    const auto cell = static_cast<size_t>(meta.legs[static_cast<size_t>(leg)].cell);
    const Engine* engine = session_.cells[cell].engine.get();
    if (engine == nullptr || silent_.contains(engine)) continue;
    if (engines.insert(engine).second) cells_.insert(cell);
  }
  before_ = co_await read();
}

Task<void> StageCounters::end() {
  const std::vector<ServerCounters> after = co_await read();
  for (ServerCounters& grew : counted_since(before_, after)) {
    if (kept_.size() == kMostStages) co_return;
    grew.legs.assign(legs_.begin(), legs_.end());
    kept_.push_back(std::move(grew));
  }
}

Task<std::vector<ServerCounters>> StageCounters::read() {
  std::vector<ServerCounters> all;
  for (const size_t cell : cells_) {
    const LiveCell& live = session_.cells[cell];
    auto counters = co_await live.engine->counters(kTimeout);
    if (!counters) {
      silent_.insert(live.engine.get());
      continue;
    }
    counters->url = live.cell.url;
    all.push_back(std::move(*counters));
  }
  co_return all;
}

}  // namespace assay
