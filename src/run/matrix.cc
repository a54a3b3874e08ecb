#include "run/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/text.h"
#include "run/estimate.h"
#include "run/planner.h"
#include "run/served_load.h"
#include "run/wait_for.h"

namespace assay {
namespace {

/// An option with several values.
struct Axis {
  std::string name;
  std::vector<std::string> values;
  bool loads = false;  ///< It is about how the model is loaded.
};

/// Loading is the slowest to change, so its options come first.
std::vector<Axis> axes_of(const RunSpec& spec) {
  std::vector<Axis> axes;
  RunSpec shape;
  for (const BoundOption& option : bind_options(shape)) {
    const auto list = spec.lists.find(option.info.name);
    if (list == spec.lists.end() || list->first == "max-concurrency") continue;
    axes.push_back({list->first, list->second, option.info.group == "load"});
  }
  std::ranges::stable_partition(axes, &Axis::loads);
  return axes;
}

/// How many combinations there are; at most one more than the bound.
size_t combinations(const std::vector<Axis>& axes) {
  size_t product = 1;
  for (const Axis& axis : axes) {
    product = std::min(product * axis.values.size(), kMostCombinations * kMostCombinations);
  }
  return product;
}

/// The options of one combination, put into the run's.
Result<Variant> combination(const RunSpec& spec, const std::vector<Axis>& axes, size_t index) {
  Variant variant{"", spec, {}};
  for (size_t i = axes.size(); i > 0; --i) {
    const Axis& axis = axes[i - 1];
    const std::string& value = axis.values[index % axis.values.size()];
    index /= axis.values.size();
    for (BoundOption& option : bind_options(variant.spec)) {
      if (option.info.name != axis.name) continue;
      if (auto set = option.set({value}); !set) return fail(set.error());
    }
    variant.matrix.push_back(fmt::format("{}={}", axis.name, value));
  }
  std::ranges::reverse(variant.matrix);
  variant.name = join(variant.matrix, ",");
  if (const auto faults = check_spec(variant.spec); !faults.empty()) {
    return fail(Errc::kInvalidArgument, fmt::format("{}: {}", variant.name, join(faults, "; ")),
                "leave one of these values out");
  }
  return variant;
}

bool loads_alike(const Variant& a, const Variant& b) {
  return load_settings_of(a.spec) == load_settings_of(b.spec);
}

LiveCell combined(const LiveCell& cell, const Variant& variant) {
  LiveCell own = cell;
  own.cell.matrix = variant.matrix;
  own.cell.id += "@" + variant.name;
  ask_for_load(load_settings_of(variant.spec), own);
  return own;
}

/// What was learnt of the same model, loaded in the same way.
void take_estimate(const Cell& from, Cell& to) {
  to.load_ms = from.load_ms;
  to.memory_bytes = from.memory_bytes;
  to.vram_bytes = from.vram_bytes;
  to.context_length = from.context_length;
  to.estimated_prefill_tps = from.estimated_prefill_tps;
  to.estimated_decode_tps = from.estimated_decode_tps;
  to.tokens_per_word = from.tokens_per_word;
  to.prompt_overhead = from.prompt_overhead;
}

/// Stops an engine of ours that has only been looked at.
void stop_engine(Session& session, const LiveCell& live) {
  if (ManagedEngine* engine = session.managed(live)) engine->stop();
}

}  // namespace

Result<std::vector<Variant>> matrix_of(const RunSpec& spec) {
  std::vector<Variant> matrix;
  const std::vector<Axis> axes = axes_of(spec);
  if (axes.empty()) return matrix;
  const size_t count = combinations(axes);
  if (count > kMostCombinations) {
    std::vector<std::string> factors;
    for (const Axis& axis : axes) {
      factors.push_back(fmt::format("{} of --{}", axis.values.size(), axis.name));
    }
    return fail(Errc::kInvalidArgument,
                fmt::format("too many combinations: {}; at most {} are measured in one run",
                            join(factors, " x "), kMostCombinations),
                "give fewer values, or split the matrix over several runs");
  }
  for (size_t i = 0; i < count; ++i) {
    auto one = combination(spec, axes, i);
    if (!one) return fail(one.error());
    matrix.push_back(std::move(*one));
  }
  return matrix;
}

Result<std::vector<Variant>> open_matrix(Session& session, std::span<const Variant> matrix,
                                         const OnNote& on_note) {
  std::vector<Variant> of_cells;
  // What holds of every combination is told once.
  std::set<std::string> told;
  const OnNote note = [&](const std::string& text) {
    if (told.insert(text).second) on_note(text);
  };
  for (size_t begin = 0; begin < matrix.size();) {
    size_t end = begin + 1;
    while (end < matrix.size() && loads_alike(matrix[begin], matrix[end])) ++end;
    const RunSpec& spec = matrix[begin].spec;
    const size_t before = session.cells.size();
    if (auto opened = open_cells(session, spec, note); !opened) return fail(opened.error());
    const std::vector<LiveCell> found(session.cells.begin() + static_cast<std::ptrdiff_t>(before),
                                      session.cells.end());
    session.cells.resize(before);
    const bool ours =
        std::ranges::any_of(found, [](const LiveCell& live) { return live.cell.managed; });
    // A server is the same for all combinations: it need not be asked again.
    if (!ours) end = matrix.size();
    for (LiveCell live : found) {
      if (live.cell.managed && needs_estimates(spec)) {
        estimate_cell(session, live, spec, needed_context(spec), note);
      }
      for (size_t i = begin; i < end; ++i) {
        session.cells.push_back(combined(live, matrix[i]));
        of_cells.push_back(matrix[i]);
      }
      if (ours) stop_engine(session, live);
    }
    begin = end;
  }
  note(fmt::format("{} combinations of settings, {} cells", matrix.size(), session.cells.size()));
  return of_cells;
}

void estimate_matrix(Session& session, std::span<const Variant> cells, const OnNote& note) {
  const LiveCell* last = nullptr;
  for (size_t i = 0; i < session.cells.size(); ++i) {
    LiveCell& live = session.cells[i];
    if (live.cell.managed || !live.cell.unavailable.empty() || !takes_load(live)) continue;
    const bool known = last != nullptr && last->engine == live.engine &&
                       last->cell.model == live.cell.model && last->asked_load == live.asked_load;
    if (known) {
      take_estimate(last->cell, live.cell);
    } else {
      const RunSpec& spec = cells[i].spec;
      estimate_cell(session, live, spec, needed_context(spec), note);
    }
    last = &live;
  }
}

void stop_other_engines(Session& session, int64_t cell) {
  const auto& kept = session.cells[static_cast<size_t>(cell)].started;
  for (size_t i = 0; i < session.started.size(); ++i) {
    if (kept != i && session.started[i]->state() == ManagedEngine::State::kRunning) {
      session.started[i]->stop();
    }
  }
}

}  // namespace assay
