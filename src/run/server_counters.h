#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/run.h"
#include "run/session.h"

namespace assay {

/// What counts: a server, or one model of a server that counts each by itself.
using CounterSource = std::pair<const Engine*, std::string>;

/// What each server of the session has counted so far, of all its clients; those that do not count
/// are left out. At most two seconds a server.
std::vector<ServerCounters> read_counters(Session& session);

/// The growth between two readings, of servers that are in both and were not started anew.
std::vector<ServerCounters> counted_since(const std::vector<ServerCounters>& before,
                                          const std::vector<ServerCounters>& after);

/// The counters of the servers of one stage of a plan, before and after it. Load thread.
class StageCounters {
 public:
  explicit StageCounters(Session& session) : session_(session) {}

  /// Before the calls of `legs`. A server that did not count once is not asked again.
  Task<void> begin(const RunMeta& meta, std::set<int64_t> legs);
  /// After them: keeps the growth.
  Task<void> end();
  /// Everything kept, in the order of the stages; of the first kMostStages.
  [[nodiscard]] const std::vector<ServerCounters>& kept() const { return kept_; }
  static constexpr size_t kMostStages = 1000;

 private:
  Task<std::vector<ServerCounters>> read();

  Session& session_;
  std::set<int64_t> legs_;
  std::set<size_t> cells_;  // One of each source.
  std::set<const Engine*> silent_;
  std::vector<ServerCounters> before_;
  std::vector<ServerCounters> kept_;
};

}  // namespace assay
