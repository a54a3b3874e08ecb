#include "run/cell_course.h"

#include <fmt/format.h>

#include <algorithm>

#include "run/stage.h"

namespace assay {
namespace {

bool is_interleaved(const RunMeta& meta) {
  return std::any_of(meta.cells.begin(), meta.cells.end(),
                     [](const Cell& cell) { return !cell.variant.empty(); });
}

}  // namespace

CellCourse::CellCourse(const ActiveRun& run)
    : run_(run),
      interleaved_(is_interleaved(run.meta)),
      budget_parts_(
          interleaved_ ? 1 : static_cast<double>(std::max<int64_t>(1, available_cells(run.meta)))) {
}

bool CellCourse::enter(int64_t cell) {
  if (cell == current_) return false;
  if (current_ < 0 || !interleaved_) started_ = mono_now_ns();
  current_ = cell;
  return true;
}

void CellCourse::restart_clock() {
  if (!interleaved_) started_ = mono_now_ns();
}

void CellCourse::give_up(int64_t cell, const std::string& why) {
  if (given_up_.emplace(cell, why).second) {
    run_.note(fmt::format("skipping the rest: {}", why));
  }
}

void CellCourse::leave_out(int64_t ns) {
  started_ += ns;
  clocks_.shift(ns);
}

std::string CellCourse::skip_reason(const Leg& leg, const LegsSoFar& legs) {
  if (!leg.skip.empty()) return leg.skip;
  if (const auto found = given_up_.find(leg.cell); found != given_up_.end()) return found->second;
  const RunSpec& spec = run_.spec;
  const auto& windows = run_.meta.cells[static_cast<size_t>(leg.cell)].windows;
  if (spec.override_window.empty() && !in_windows(windows, wall_now_ns())) return "window";
  if (run_.meta.budget_s && leg.phase != Phase::kWarmup && leg.phase != Phase::kCold) {
    const double share = *run_.meta.budget_s / budget_parts_;
    if (static_cast<double>(mono_now_ns() - started_) / 1e9 > share) return "budget";
  }
  const int64_t index = &leg - run_.meta.legs.data();
  if (spec.until_ci && legs.narrow(index, leg.calls, *spec.until_ci / 100)) return "until_ci";
  if (leg.sustain_s && clocks_.is_up(index, *leg.sustain_s, mono_now_ns())) return "sustain";
  return {};
}

}  // namespace assay
