#include "run/preflight.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"

namespace assay {
namespace {

constexpr size_t kMaxNamed = 5;

std::string named(std::vector<std::string> items) {
  if (items.size() > kMaxNamed) {
    const size_t more = items.size() - kMaxNamed;
    items.resize(kMaxNamed);
    items.push_back(fmt::format("{} more", more));
  }
  return join(items, ", ");
}

double load_limit(int64_t cores) {
  return cores > 0 ? std::min(kMaxLoad, kMaxLoadPerCore * static_cast<double>(cores)) : kMaxLoad;
}

std::vector<const Cell*> available(const PreflightFacts& facts) {
  std::vector<const Cell*> cells;
  for (const Cell& cell : facts.cells) {
    if (cell.unavailable.empty()) cells.push_back(&cell);
  }
  return cells;
}

const DeclaredCell* declared_as(const PreflightFacts& facts, const Cell& cell) {
  for (const DeclaredCell& declared : facts.declared) {
    const std::string& id = declared.cell.id;
    if (id == cell.id || id == cell.routed_from) return &declared;
  }
  return nullptr;
}

/// Collects checks and what they forbid.
class List {
 public:
  explicit List(const PreflightFacts& facts) : facts_(facts) {}

  void add(std::string name, bool ok, std::string detail, bool identity = false) {
    result.checks.push_back({std::move(name), ok, std::move(detail), identity, facts_.harness});
  }
  void inform(std::string name, bool ok, std::string detail) {
    result.checks.push_back({std::move(name), ok, std::move(detail), false, false});
  }
  void refuse(std::string why) {
    if (facts_.harness) result.refusals.push_back(std::move(why));
  }

  Preflight result;

 private:
  const PreflightFacts& facts_;
};

void check_trees(const PreflightFacts& facts, const RunSpec& spec, List& list) {
  std::vector<std::string> changes;
  std::string sha;
  bool known = !facts.trees.empty();
  for (const TreeState& tree : facts.trees) {
    changes.insert(changes.end(), tree.changes.begin(), tree.changes.end());
    known = known && !tree.sha.empty() && tree.dirty.has_value();
    if (sha.empty()) sha = tree.sha;
  }
  list.add("git_sha", known, known ? sha : "the files are in no git tree with a commit", true);
  if (changes.empty()) {
    if (known) list.add("git_clean", true, "no changes");
    return;
  }
  const std::string what = fmt::format("{} changed {}: {}", changes.size(),
                                       changes.size() == 1 ? "file" : "files", named(changes));
  const bool leave = !spec.allow_dirty.empty();
  list.add("git_clean", leave, leave ? what + " (--allow-dirty: " + spec.allow_dirty + ")" : what);
  if (leave) return;
  list.refuse("git_clean: " + what + "; commit them, or say why not with --allow-dirty REASON");
}

void check_load(const PreflightFacts& facts, const RunSpec& spec, List& list) {
  if (facts.load_averages.empty()) {
    return list.add("load_average", false, "the system does not tell", true);
  }
  const bool busy = is_busy(facts.load_averages, facts.cores);
  std::string what = fmt::format("{:.2f} on {} cores, limit {:.1f}", facts.load_averages[0],
                                 facts.cores, load_limit(facts.cores));
  if (busy && !spec.force_load) {
    list.refuse("load_average: " + what + "; wait, or measure with --force-load");
  }
  list.add("load_average", !busy, what + (busy && spec.force_load ? " (--force-load)" : ""));
}

void check_windows(const PreflightFacts& facts, const RunSpec& spec, List& list) {
  std::vector<std::string> closed;
  bool any = false;
  for (const Cell* cell : available(facts)) {
    any = any || !cell->windows.empty();
    if (in_windows(cell->windows, facts.wall_ns)) continue;
    std::vector<std::string> texts;
    for (const DayWindow& window : cell->windows) texts.push_back(window_text(window));
    closed.push_back(fmt::format("{} ({})", cell->id, join(texts, ", ")));
  }
  const std::string now = utc_text(facts.wall_ns).substr(11, 5) + "Z";
  if (closed.empty()) {
    return list.add("window", true, any ? now + " is within" : now + ", no windows are set");
  }
  const std::string what = fmt::format("{} is outside of the windows of {}", now, named(closed));
  const bool leave = !spec.override_window.empty();
  list.add("window", leave,
           leave ? what + " (--override-window: " + spec.override_window + ")" : what);
  if (!leave) list.refuse("window: " + what + "; wait, or give --override-window REASON");
}

void check_rate(const PreflightFacts& facts, const RunSpec& spec, List& list) {
  if (!facts.harness) return;
  if (!spec.authorize_load.empty()) {
    return list.add("call_rate", true, "no limit (--authorize-load: " + spec.authorize_load + ")");
  }
  double most = 0;
  for (const Cell& cell : facts.cells) most = std::max(most, cell.max_rate.value_or(0));
  list.add("call_rate", true, fmt::format("at most {:g} calls a second for each cell", most));
}

void check_availability(const PreflightFacts& facts, List& list) {
  std::vector<std::string> missing;
  for (const Cell& cell : facts.cells) {
    const DeclaredCell* declared = declared_as(facts, cell);
    const bool by_its_owner = declared != nullptr && !declared->cell.unavailable.empty();
    if (!cell.unavailable.empty() && !by_its_owner) missing.push_back(cell.id);
  }
  std::string detail =
      missing.empty() ? "every cell that is to answer does" : "unavailable: " + named(missing);
  if (!facts.unselected.empty()) detail += "; not asked for: " + named(facts.unselected);
  // A cell that is not there does no harm to the figures of the others.
  list.inform("cells_available", missing.empty(), std::move(detail));
}

/// Digests are written with and without their kind.
std::string_view without_kind(std::string_view text) {
  constexpr std::string_view kKind = "sha256:";
  return text.rfind(kKind, 0) == 0 ? text.substr(kKind.size()) : text;
}

/// Whether every cell has the value, and the one that its file wants.
void check_identity(const PreflightFacts& facts, std::string_view name, std::string Cell::*member,
                    std::string DeclaredCell::*wanted, List& list) {
  std::vector<std::string> unknown;
  std::vector<std::string> other;
  for (const Cell* cell : available(facts)) {
    if (!cell->routed_from.empty()) continue;  // What is behind a router is the cell itself.
    const DeclaredCell* declared = declared_as(facts, *cell);
    const std::string& want = declared != nullptr ? declared->*wanted : std::string();
    const std::string& have = cell->*member;
    if (have.empty()) {
      unknown.push_back(cell->id);
    } else if (!want.empty() && without_kind(want) != without_kind(have)) {
      other.push_back(fmt::format("{} answers {} instead of {}", cell->id, printable(have, 24),
                                  printable(want, 24)));
    }
  }
  std::string detail = "known for every cell";
  if (!unknown.empty()) detail = "unknown for " + named(unknown);
  list.add(std::string(name), unknown.empty(), detail, true);
  if (!other.empty()) list.add(std::string(name) + "_match", false, named(other));
}

}  // namespace

bool is_busy(const std::vector<double>& load_averages, int64_t cores) {
  return !load_averages.empty() && load_averages[0] > load_limit(cores);
}

Preflight check_preflight(const PreflightFacts& facts, const RunSpec& spec) {
  List list(facts);
  check_trees(facts, spec, list);
  list.add("harness_version", !facts.harness_version.empty(), facts.harness_version, true);
  check_load(facts, spec, list);
  list.add("one_harness", true, "this machine's run lock is held");
  check_windows(facts, spec, list);
  check_rate(facts, spec, list);
  check_availability(facts, list);
  check_identity(facts, "engine_version", &Cell::version, &DeclaredCell::version, list);
  check_identity(facts, "model_digest", &Cell::digest, &DeclaredCell::digest, list);
  Preflight& result = list.result;
  if (spec.for_publication) {
    for (const PreflightCheck& check : result.checks) {
      const bool told =
          std::any_of(result.refusals.begin(), result.refusals.end(),
                      [&](const std::string& why) { return why.rfind(check.name + ":", 0) == 0; });
      if (!check.ok && !told) result.refusals.push_back(check.name + ": " + check.detail);
    }
  }
  return std::move(result);
}

std::vector<double> wait_for_quiet(const std::function<std::vector<double>()>& load, int64_t cores,
                                   const std::function<bool()>& sleep,
                                   const std::function<void(const std::string&)>& tell) {
  constexpr int64_t kTellEveryS = 30;
  std::vector<double> now = load();
  for (int64_t waited = 0; waited < kMaxLoadWaitS && is_busy(now, cores); ++waited) {
    if (waited % kTellEveryS == 0) {
      tell(
          fmt::format("this machine is busy: load average {:.2f}, limit {:.1f}; waiting {} s more "
                      "at most (--force-load does not wait)",
                      now[0], load_limit(cores), kMaxLoadWaitS - waited));
    }
    if (!sleep()) break;
    now = load();
  }
  return now;
}

}  // namespace assay
