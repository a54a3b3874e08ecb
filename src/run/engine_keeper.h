#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "model/options.h"
#include "model/run.h"
#include "run/session.h"

namespace assay {

/// Looks after the engines behind a run's cells: those of ours are started again after they died,
/// a bounded number of times, and before a leg what is not measured makes room. Load thread only.
class EngineKeeper {
 public:
  /// How often the engine of one cell is started again in a run after it died by itself.
  static constexpr int64_t kMaxRevivals = 3;
  /// A socket closes before its process can be waited for.
  static constexpr Nanos kDeathTellsWithin = std::chrono::milliseconds(500);
  static constexpr size_t kMaxLogLines = 40;  ///< Of a dead engine's log, kept in the run's.

  struct Hooks {
    OnNote note;                                       ///< For people.
    std::function<void(const std::string& line)> log;  ///< For the run's log.
    std::function<void(const std::string&)> alert;
    std::function<bool()> stopping;
  };
  EngineKeeper(Session& session, const RunSpec& spec, Hooks hooks)
      : session_(session), spec_(spec), hooks_(std::move(hooks)) {
    session_.stopping = hooks_.stopping;
  }
  ~EngineKeeper() { session_.stopping = nullptr; }
  EngineKeeper(const EngineKeeper&) = delete;
  EngineKeeper& operator=(const EngineKeeper&) = delete;

  /// Makes the engine of a cell ready for a call. Returns why the cell cannot be measured any more,
  /// or nothing. Calls side by side wait for one start.
  Task<std::string> ready(int64_t cell);
  /// Loads the cell's model anew, as the plan says. Returns why that failed, or nothing.
  Task<std::string> reload(int64_t cell);
  /// The server dropped the cell's model: it is loaded as asked before the next call.
  void forget_load(int64_t cell);
  /// --prepare, before a stage of these cells. Save under --ab engines of ours run one at a time,
  /// and the stage's is ready when this returns.
  Task<void> prepare(std::set<int64_t> cells);

  /// How often the engine of a cell died so far: to be read before a call.
  [[nodiscard]] int64_t deaths(int64_t cell) { return keeps_[cell].deaths; }
  /// Of a call that failed: where the engine died under it, the record says so. `deaths_before` as
  /// they were when it was sent.
  Task<void> explain_failure(int64_t cell, int64_t deaths_before, CallRecord& record);
  /// Reads what the engines write. Call it a few times a second.
  void drain();

 private:
  struct Keep {
    int64_t deaths = 0;
    bool loading = false;
    std::string how;       ///< The last death.
    std::string given_up;  ///< Why the cell is not measured any more; empty while it is.
  };
  /// Has a server that is not ours load the model as the cell asks. Returns why that failed.
  Task<std::string> load_served_model(int64_t cell);
  [[nodiscard]] LiveCell& live(int64_t cell) { return session_.cells[static_cast<size_t>(cell)]; }
  /// Takes notice of an engine that died.
  void notice_death(int64_t cell);
  Task<void> unload_others(int64_t cell, std::set<int64_t> measured);
  void stop_others(const std::set<int64_t>& cells);

  Session& session_;
  const RunSpec& spec_;
  Hooks hooks_;
  std::map<int64_t, Keep> keeps_;
};

}  // namespace assay
