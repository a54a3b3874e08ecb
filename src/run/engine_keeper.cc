#include "run/engine_keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "net/failure.h"
#include "net/sleep.h"
#include "run/matrix.h"
#include "run/served_load.h"
#include "store/run_dir.h"
#include "supervise/detached.h"

namespace assay {
namespace {

constexpr Nanos kAskTimeout = std::chrono::seconds(5);
constexpr Nanos kFirstBackOff = std::chrono::milliseconds(500);

/// Failures that an end of the process explains. A call that made no connection reached nothing,
/// and is tried again as with any server.
bool broke_off(const CallRecord& record) {
  return record.outcome == Outcome::kError && record.error_code != failure::kConnect &&
         record.http_status.value_or(200) < 400;
}

}  // namespace

void EngineKeeper::notice_death(int64_t cell) {
  ManagedEngine& engine = *session_.managed(live(cell));
  Keep& keep = keeps_[cell];
  ++keep.deaths;
  keep.how = engine.ended_how();
  const std::string what =
      fmt::format("the engine of {} died: {}", printable(live(cell).cell.id, 80), keep.how);
  hooks_.note(what);
  hooks_.alert(what);
  auto lines = split(engine.log_tail(), '\n');
  if (lines.size() > kMaxLogLines) lines.erase(lines.begin(), lines.end() - kMaxLogLines);
  for (const std::string& line : lines) {
    if (!line.empty()) hooks_.log("engine: " + line);
  }
  engine.stop();  // It is gone; the next call finds one that is to be started.
}

Task<std::string> EngineKeeper::ready(int64_t cell) {
  ManagedEngine* engine = session_.managed(live(cell));
  Keep& keep = keeps_[cell];
  while (keep.loading && !hooks_.stopping())
    co_await sleep_for(session_.io, ManagedEngine::kLogEvery);
  if (hooks_.stopping()) co_return std::string();
  if (!keep.given_up.empty()) co_return keep.given_up;
  if (engine == nullptr) {
    if (live(cell).engine == nullptr || !live(cell).engine->loads_as_asked())
      co_return std::string();
    keep.loading = true;
    keep.given_up = co_await load_served_model(cell);
    keep.loading = false;
    co_return keep.given_up;
  }
  if (engine->state() == ManagedEngine::State::kFailed) notice_death(cell);
  if (engine->state() == ManagedEngine::State::kRunning) co_return std::string();
  if (keep.given_up.empty() && keep.deaths > kMaxRevivals) {
    keep.given_up = fmt::format("engine_died {} times", keep.deaths);
  }
  if (!keep.given_up.empty()) co_return keep.given_up;
  keep.loading = true;
  if (keep.deaths > 0) {
    hooks_.note(fmt::format("starting it again, {} of {}", keep.deaths, kMaxRevivals));
    co_await sleep_for(session_.io, kFirstBackOff * keep.deaths);
  }
  const auto loaded = co_await reload_cell(session_, static_cast<size_t>(cell));
  keep.loading = false;
  if (!loaded && loaded.error().code != Errc::kCancelled) keep.given_up = loaded.error().message;
  co_return keep.given_up;
}

Task<std::string> EngineKeeper::load_served_model(int64_t cell) {
  const auto loaded = co_await load_as_asked(session_, live(cell));
  if (!loaded) co_return loaded.error().message;
  if (!*loaded) co_return std::string();
  const std::string id = printable(live(cell).cell.id, 80);
  const auto& refused = hosted_model_of(session_, live(cell)).said.refused;
  hooks_.note(refused.empty()
                  ? fmt::format("loaded {} as asked", id)
                  : fmt::format("loaded {} without {}: refused", id, join(refused, ", ")));
  co_return std::string();
}

void EngineKeeper::forget_load(int64_t cell) { assay::forget_load(session_, live(cell)); }

Task<std::string> EngineKeeper::reload(int64_t cell) {
  const auto loaded = co_await reload_cell(session_, static_cast<size_t>(cell));
  if (!loaded && loaded.error().code != Errc::kCancelled) co_return loaded.error().message;
  co_return std::string();
}

Task<void> EngineKeeper::explain_failure(int64_t cell, int64_t deaths_before, CallRecord& record) {
  ManagedEngine* engine = session_.managed(live(cell));
  if (engine == nullptr || !broke_off(record)) co_return;
  const MonoNs deadline = mono_now_ns() + kDeathTellsWithin.count();
  while (keeps_[cell].deaths == deaths_before && mono_now_ns() < deadline) {
    if (engine->state() == ManagedEngine::State::kFailed) {
      notice_death(cell);
    } else {
      co_await sleep_for(session_.io, std::chrono::milliseconds(5));
    }
  }
  if (keeps_[cell].deaths == deaths_before) co_return;
  record.error_code = "engine_died";
  record.error = fmt::format("the engine died: {}", keeps_[cell].how);
}

Task<void> EngineKeeper::prepare(std::set<int64_t> cells) {
  const int64_t first = *cells.begin();
  const bool takes_turns = live(first).cell.variant.empty() && session_.started.size() > 1;
  if (takes_turns && session_.managed(live(first)) != nullptr) {
    stop_other_engines(session_, first);
    // So that loading is no part of the cell's share of the budget. A failure is told by the calls.
    [[maybe_unused]] const std::string failed = co_await ready(first);
  }
  if (spec_.prepare == "stop-managed") stop_others(cells);
  if (spec_.prepare != "unload-others") co_return;
  for (const int64_t cell : cells) co_await unload_others(cell, cells);
}

void EngineKeeper::stop_others(const std::set<int64_t>& cells) {
  std::set<std::string> measured;
  std::set<const ManagedEngine*> kept;  // Combinations of a matrix that load alike share one.
  for (const int64_t cell : cells) {
    measured.insert(live(cell).cell.url);
    kept.insert(session_.managed(live(cell)));
  }
  for (const LiveCell& other : session_.cells) {
    ManagedEngine* engine = session_.managed(other);
    if (engine == nullptr || kept.contains(engine)) continue;
    if (engine->state() != ManagedEngine::State::kRunning) continue;
    hooks_.note(fmt::format("stopping the engine of {}", printable(other.cell.id, 80)));
    engine->stop();
  }
  const auto data_dir = data_directory(
      spec_.data_dir.empty() ? std::nullopt : std::optional<std::string>(spec_.data_dir));
  if (!data_dir) return;
  for (const DetachedEngine& engine : detached_engines(*data_dir)) {
    if (!engine.is_alive() || measured.contains(engine.url)) continue;
    hooks_.note(fmt::format("stopping {}, which 'assay models load' had started",
                            printable(engine.name, 80)));
    if (auto ended = end_detached(*data_dir, engine); !ended) hooks_.note(ended.error().message);
  }
}

Task<void> EngineKeeper::unload_others(int64_t cell, std::set<int64_t> measured) {
  const std::shared_ptr<Engine> engine = live(cell).engine;
  if (engine == nullptr || !engine->unloads_one()) co_return;
  const auto models = co_await engine->models(kAskTimeout);
  if (!models) co_return;
  for (const ModelInfo& model : *models) {
    const bool wanted = std::any_of(measured.begin(), measured.end(), [&](int64_t other) {
      const Cell& kept = live(other).cell;
      return kept.url == live(cell).cell.url && names_model(model.name, kept.model);
    });
    if (!model.loaded || wanted) continue;
    const auto cold = co_await engine->make_cold(model.name);
    if (cold) {
      hooks_.note(fmt::format("unloaded {}", printable(model.name, 80)));
    } else {
      hooks_.note(
          fmt::format("{} stays loaded: {}", printable(model.name, 80), cold.error().message));
    }
  }
}

void EngineKeeper::drain() {
  for (const auto& engine : session_.started) engine->drain();
}

}  // namespace assay
