#include "run/server_counters.h"

#include <algorithm>

#include "run/served_load.h"
#include "run/wait_for.h"

namespace assay {
namespace {

constexpr Nanos kTimeout = std::chrono::seconds(2);

std::optional<int64_t> growth(std::optional<int64_t> before, std::optional<int64_t> after) {
  if (!before || !after || *after < *before) return std::nullopt;
  return *after - *before;
}

CounterSource source_of(const LiveCell& live) {
  return {live.engine.get(), live.engine->counts_each_model() ? live.cell.model : std::string()};
}

ServerCounters of_cell(Session& session, const LiveCell& live, ServerCounters counters) {
  counters.url = live.cell.url;
  // Those of one model begin anew with its process.
  if (!counters.model.empty()) counters.load = hosted_model_of(session, live).changes;
  return counters;
}

}  // namespace

std::vector<ServerCounters> read_counters(Session& session) {
  std::vector<ServerCounters> all;
  std::set<CounterSource> asked;
  for (const LiveCell& live : session.cells) {
    if (live.engine == nullptr || !asked.insert(source_of(live)).second) continue;
    auto counters = session.wait_for(live.engine->counters(live.cell.model, kTimeout));
    if (!counters) continue;
    all.push_back(of_cell(session, live, std::move(*counters)));
  }
  return all;
}

std::vector<ServerCounters> counted_since(const std::vector<ServerCounters>& before,
                                          const std::vector<ServerCounters>& after) {
  std::vector<ServerCounters> grown;
  for (const ServerCounters& b : before) {
    const auto a = std::find_if(after.begin(), after.end(), [&](const ServerCounters& c) {
      return c.url == b.url && c.model == b.model && c.load == b.load;
    });
    if (a == after.end()) continue;
    ServerCounters& grew = grown.emplace_back();
    grew.url = b.url;
    grew.model = b.model;
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
  std::set<CounterSource> sources;
  for (const int64_t leg : legs_) {
    const auto cell = static_cast<size_t>(meta.legs[static_cast<size_t>(leg)].cell);
    const LiveCell& live = session_.cells[cell];
    if (live.engine == nullptr || silent_.contains(live.engine.get())) continue;
    if (sources.insert(source_of(live)).second) cells_.insert(cell);
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
    const std::shared_ptr<Engine> engine = live.engine;
    auto counters = co_await engine->counters(live.cell.model, kTimeout);
    if (!counters) {
      // A router says nothing of a model that is not loaded yet.
      if (!engine->counts_each_model()) silent_.insert(engine.get());
      continue;
    }
    all.push_back(of_cell(session_, live, std::move(*counters)));
  }
  co_return all;
}

}  // namespace assay
