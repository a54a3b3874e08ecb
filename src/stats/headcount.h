#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/objectives.h"
#include "model/run.h"
#include "stats/legs.h"

namespace assay {

/// One level of concurrency: how many of its calls held every objective of --goodput.
struct HeadcountLevel {
  int64_t concurrency = 0;
  int64_t met = 0;
  int64_t judged = 0;  ///< Calls that held them or did not; failed ones did not.
  int64_t unjudged =
      0;  ///< Ok calls without a figure for an objective, such as the speed of one token.
  /// The share of all calls that hold them is at least this, with kSure: the exact one-sided bound
  /// (Clopper and Pearson). Absent where no call was judged.
  std::optional<double> least_share;
  /// And at most this, with kSure.
  std::optional<double> most_share;
  std::optional<double> goodput;  ///< Calls a second that held them.
  bool passes = false;            ///< `least_share` reaches the attainment.
  bool misses = false;            ///< `most_share` does not.
  bool client_limited = false;    ///< A leg of it is marked so: the client was at its ceiling.
  /// A leg of it is, and not for its queue alone: where calls wait for each other, users wait.
  bool is_void = false;
  std::vector<std::string> marks;  ///< Codes of its legs' other marks, such as throttled.
};

/// How many users at once are served as the objectives ask.
struct Headcount {
  int64_t cell = 0;                    ///< Index into RunMeta::cells.
  std::vector<HeadcountLevel> levels;  ///< Ascending.
  /// The highest level that passes, and below which every level passes: at least so many. Absent
  /// where the lowest does not, is void, or the client was at its ceiling.
  std::optional<int64_t> users;
};

/// What a run asked of its calls. Nothing where it asked nothing.
struct Goodput {
  std::vector<Objective> objectives;
  double attainment = 0;
  std::vector<Headcount> cells;  ///< In plan order; cells of which nothing was judged are left out.
};

/// Whether a final record held every objective; nothing where that cannot be told: it was skipped,
/// or it is ok and has no figure for one of them. Other calls that are not ok did not.
std::optional<bool> holds(const CallRecord& record, std::span<const Objective> objectives);

/// The bounds of a share of which `met` of `judged` were seen, each one-sided with kSure.
double least_share(int64_t met, int64_t judged);
double most_share(int64_t met, int64_t judged);

/// Judges records that pass by. One thread. `meta` outlives it.
class HeadcountCalls {
 public:
  explicit HeadcountCalls(const RunMeta& meta);
  void add(const CallRecord& record);
  /// `legs`: of the same run, for their marks. `waits` are no time of the calls.
  [[nodiscard]] Goodput finish(std::span<const LegResult> legs,
                               std::span<const CoolingWait> waits) const;

 private:
  struct Span {
    int64_t first_ns = 0;
    int64_t last_ns = 0;
  };
  struct Seen {
    int64_t met = 0;
    int64_t judged = 0;
    int64_t unjudged = 0;
    std::map<int64_t, Span> stages;  ///< From the first call due to the last one done.
  };
  const RunMeta& meta_;
  Goodput asked_;
  std::map<std::pair<int64_t, int64_t>, Seen> seen_;  ///< By cell and planned concurrency.
};

}  // namespace assay
