#include "run/harness.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "base/text.h"
#include "run/declared_cells.h"
#include "run/environment.h"
#include "run/preflight.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// Of the files of cells and prompts, each tree once; else of the working directory.
std::vector<TreeState> read_trees(const RunSpec& spec) {
  if (spec.cells_yaml.empty()) return {read_tree(".")};
  std::vector<TreeState> trees{read_tree(fs::path(spec.cells_yaml).parent_path())};
  if (!spec.prompts_yaml.empty()) {
    TreeState other = read_tree(fs::path(spec.prompts_yaml).parent_path());
    if (other.top.empty() || other.top != trees[0].top) trees.push_back(std::move(other));
  }
  return trees;
}

void record_trees(const std::vector<TreeState>& trees, RunMeta& meta) {
  for (const TreeState& tree : trees) {
    if (meta.git_sha.empty()) meta.git_sha = tree.sha;
    if (tree.dirty) meta.git_dirty = meta.git_dirty.value_or(false) || *tree.dirty;
    meta.git_changes.insert(meta.git_changes.end(), tree.changes.begin(), tree.changes.end());
  }
}

Error refused(const std::vector<std::string>& why) {
  return {Errc::kConflict, fmt::format("refused before the first call:\n  {}", join(why, "\n  "))};
}

/// With the load left out of account: nobody should wait for a run that is refused anyway.
Preflight without_load(const PreflightFacts& facts, RunSpec spec) {
  spec.force_load = true;
  spec.for_publication = false;
  return check_preflight(facts, spec);
}

}  // namespace

Result<std::optional<Harness>> load_harness(const RunSpec& spec) {
  if (spec.cells_yaml.empty()) return std::nullopt;
  Harness harness;
  auto cells = load_cells(spec.cells_yaml);
  if (!cells) return fail(cells.error());
  harness.all = std::move(*cells);
  auto selected = select_cells(harness.all, spec.cells);
  if (!selected) return fail(selected.error());
  harness.selected = std::move(*selected);
  const bool by_route =
      std::any_of(harness.selected.begin(), harness.selected.end(), [](const DeclaredCell& cell) {
        return !cell.route.empty() && cell.cell.unavailable.empty();
      });
  if (spec.full && by_route && spec.tag_prefix.empty()) {
    return fail(Errc::kInvalidArgument,
                "--full asks by the cells' routes too, and such calls have to say that they are "
                "tests",
                "give --tag-prefix, or leave --full out");
  }
  if (spec.routed && !by_route) {
    return fail(Errc::kInvalidArgument, "--routed: none of these cells has a route");
  }
  return harness;
}

Result<void> open_harness(Session& session, const RunSpec& spec, const Harness& harness) {
  const bool routed = (spec.routed || spec.full) && !spec.smoke;
  auto opened = open_declared_cells(session, spec, harness.selected, routed);
  if (!opened || spec.probe) return opened;
  const auto first =
      std::find_if(session.cells.begin(), session.cells.end(),
                   [](const LiveCell& live) { return live.cell.unavailable.empty(); });
  if (first == session.cells.end()) {
    std::vector<std::string> why;
    for (const LiveCell& live : session.cells) {
      why.push_back(fmt::format("{}: {}", live.cell.id, live.cell.unavailable));
    }
    return fail(Errc::kUnavailable, "no cell can be measured:\n  " + join(why, "\n  "),
                "start the servers; --probe says which cells answer");
  }
  if (spec.smoke) session.cells = {LiveCell(*first)};
  return {};
}

Result<void> pass_preflight(const Session& session, const RunSpec& spec,
                            const std::optional<Harness>& harness, RunMeta& meta,
                            const OnNote& note) {
  PreflightFacts facts;
  facts.harness = harness.has_value();
  facts.trees = read_trees(spec);
  facts.load_averages = meta.load_avg_start;
  facts.cores = core_count();
  facts.wall_ns = meta.started_wall_ns;
  facts.harness_version = meta.harness_version;
  for (const LiveCell& live : session.cells) facts.cells.push_back(live.cell);
  if (harness) {
    facts.declared = harness->selected;
    for (const DeclaredCell& cell : harness->all) {
      meta.declared_cells.push_back(cell.cell.id);
      const auto is_it = [&](const DeclaredCell& other) { return other.cell.id == cell.cell.id; };
      if (std::none_of(harness->selected.begin(), harness->selected.end(), is_it)) {
        facts.unselected.push_back(cell.cell.id);
      }
    }
  }
  record_trees(facts.trees, meta);
  if (facts.harness && !spec.force_load && is_busy(facts.load_averages, facts.cores)) {
    if (auto others = without_load(facts, spec); others.refusals.empty()) {
      facts.load_averages = wait_for_quiet(
          load_averages, facts.cores,
          [] {
            std::this_thread::sleep_for(std::chrono::seconds(1));
            return true;
          },
          note);
      meta.load_avg_start = facts.load_averages;
    }
  }
  Preflight preflight = check_preflight(facts, spec);
  meta.preflight = std::move(preflight.checks);
  if (!preflight.refusals.empty()) return fail(refused(preflight.refusals));
  return {};
}

}  // namespace assay
