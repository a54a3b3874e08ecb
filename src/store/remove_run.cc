#include "store/remove_run.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/append_file.h"
#include "store/index.h"
#include "store/run_dir.h"

namespace assay {

std::optional<Error> what_holds(const State& state, std::string_view run_id) {
  for (const auto& [name, baseline] : state.all<Baseline>()) {
    if (*baseline.run_id != run_id) continue;
    return Error(Errc::kConflict, fmt::format("run {} is the baseline '{}'", run_id, name),
                 fmt::format("'assay baseline rm {}' first", name));
  }
  if (const auto* publication = state.find<Publication>(run_id); publication != nullptr) {
    return Error(
        Errc::kConflict,
        fmt::format("run {} is published in {}", run_id, printable(*publication->where, 120)),
        "what was published stays: others may cite it");
  }
  return std::nullopt;
}

Result<void> remove_run(const std::filesystem::path& data_dir, const std::string& run_id,
                        const std::string& reason) {
  if (!is_run_id(run_id)) {
    return fail(Errc::kInvalidArgument, fmt::format("'{}' is no run's id", printable(run_id, 64)));
  }
  const auto state = read_state(data_dir);
  if (!state) return fail(state.error());
  if (const auto held = what_holds(*state, run_id)) return fail(*held);
  if (is_being_written(run_paths(data_dir, run_id).ledger)) {
    return fail(Errc::kConflict, fmt::format("run {} is still going on", run_id), "stop it first");
  }
  const RemovedRun tombstone{run_id, reason, utc_text(wall_now_ns())};
  if (auto added = add_to_state(data_dir, {tombstone}); !added) return added;
  return delete_run_directory(data_dir, run_id);
}

Result<std::vector<std::string>> living_run_ids(const std::filesystem::path& data_dir,
                                                std::vector<std::string>& notes) {
  auto ids = list_run_ids(data_dir);
  if (!ids) return ids;
  const auto state = read_state(data_dir);
  if (!state) return fail(state.error());
  std::erase_if(*ids, [&](const std::string& id) {
    if (state->find<RemovedRun>(id) == nullptr) return false;
    if (notes.size() < kMaxIndexNotes) {
      notes.push_back(fmt::format(
          "run {} was removed, but its files are there: 'assay runs rm {}' deletes them", id, id));
    }
    return true;
  });
  return ids;
}

}  // namespace assay
