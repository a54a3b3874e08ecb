#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "run/active_run.h"
#include "run/legs_so_far.h"
#include "run/sustain.h"

namespace assay {

/// How a run gets on with its cells: which it is at, since when, and which it has given up. Load
/// thread only.
class CellCourse {
 public:
  explicit CellCourse(const ActiveRun& run);

  /// The run comes to calls of that cell. True where it was at another one.
  bool enter(int64_t cell);
  /// The time of the cell's share of the budget begins anew: loading is not measuring.
  void restart_clock();
  /// What is left of a cell is skipped; the other cells go on. The first reason stays.
  void give_up(int64_t cell, const std::string& why);
  [[nodiscard]] bool has_given_up(int64_t cell) const { return given_up_.contains(cell); }

  /// A pause of that length is over: limits of time are for calls.
  void leave_out(int64_t ns);

  /// Why no call of the leg is to be sent now, or empty. The time of a leg of --sustain begins with
  /// the first question.
  [[nodiscard]] std::string skip_reason(const Leg& leg, const LegsSoFar& legs);

 private:
  const ActiveRun& run_;
  const bool interleaved_;     // Its cells share the time of all of them.
  const double budget_parts_;  // Shares that the budget has.
  int64_t current_ = -1;
  MonoNs started_ = 0;
  std::map<int64_t, std::string> given_up_;
  LegClocks clocks_;
};

}  // namespace assay
