#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "base/text.h"
#include "cli/command.h"
#include "cli/confirm.h"
#include "cli/exit_codes.h"
#include "cli/registry_view.h"
#include "cli/show_run.h"
#include "registry/find_models.h"
#include "registry/fingerprint.h"
#include "run/model_reset.h"
#include "store/run_dir.h"
#include "store/run_lock.h"
#include "supervise/detached.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// A model by its identity.
struct Identity {
  std::string fingerprint;
  std::string name;
};

bool is_fingerprint(std::string_view text) {
  constexpr size_t kDigits = 40;
  return text.size() == kDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The model of the registry that is meant, also one whose file is gone; or a file elsewhere.
Result<Identity> identity_of_model(const Invocation& invocation, const std::string& name) {
  ProgressLine line(!invocation.spec.quiet && !invocation.spec.no_progress);
  const auto view = open_registry(invocation, line);
  if (!view) return fail(view.error());
  std::error_code error;
  const bool is_file = fs::is_regular_file(name, error);
  const fs::path path = is_file ? fs::weakly_canonical(name, error) : fs::path();
  const auto found = find_models(view->scan.models, is_file ? path.string() : name);
  if (found && found->size() > 1) {
    return fail(Errc::kInvalidArgument,
                fmt::format("{} models match '{}'", found->size(), printable(name, 80)),
                "one is reset at a time");
  }
  if (found) {
    const RegisteredModel& model = view->scan.models[found->front()];
    return Identity{model.fingerprint, model.listed.name};
  }
  if (is_file) {
    return Identity{file_fingerprint(path, surroundings(invocation.spec.models_dir)),
                    path.filename().string()};
  }
  if (is_fingerprint(name)) return Identity{name, name.substr(0, 8)};
  return fail(found.error());
}

/// Forgets engines that failed to load, of that name or all. How many there were.
int64_t forget_failed(const Invocation& invocation, const fs::path& data_dir,
                      const std::string& name) {
  int64_t forgotten = 0;
  for (const DetachedEngine& engine : detached_engines(data_dir)) {
    if (!name.empty() && engine.name != name && engine.id != name) continue;
    if (engine.state != DetachedEngine::State::kFailed) continue;
    ++forgotten;
    if (invocation.has("dry-run")) continue;
    forget_detached(data_dir, engine);
    if (!invocation.spec.quiet) fmt::print(stderr, "forgot that {} failed\n", engine.name);
  }
  return forgotten;
}

void tell(const fs::path& data_dir, const ModelRuns& runs, bool is_trial) {
  for (const RunRow& row : runs.own) {
    const auto bytes = run_bytes(data_dir, row.run_id);
    fmt::print(stderr, "{} {} ({}, {} calls, {})\n", is_trial ? "would delete" : "delete",
               row.run_id, row.started_at_utc, row.planned,
               bytes ? bytes_text(*bytes) : "size unknown");
  }
  for (const auto& [run, legs] : runs.shared) {
    fmt::print(stderr, "{} {} of its legs invalid: other models were measured in {} too\n",
               is_trial ? "would mark" : "mark", legs.size(), run.run_id);
  }
  for (const auto& [run, why] : runs.kept) fmt::print(stderr, "keep: {}\n", why);
}

Json result_json(const Identity& model, const ModelRuns& runs) {
  Json deleted = Json::array();
  for (const RunRow& row : runs.own) deleted.push_back(row.run_id);
  Json kept = Json::array();
  for (const auto& [run, why] : runs.kept) kept.push_back({{"run_id", run.run_id}, {"why", why}});
  Json marked = Json::array();
  for (const auto& [run, legs] : runs.shared) {
    marked.push_back({{"run_id", run.run_id}, {"legs", legs}});
  }
  return {{"schema", "assay.model_reset/1"},
          {"fingerprint", model.fingerprint},
          {"name", model.name},
          {"deleted", std::move(deleted)},
          {"marked_invalid", std::move(marked)},
          {"kept", std::move(kept)}};
}

int reset_results(const Invocation& invocation, const fs::path& data_dir, const Identity& model) {
  auto index = RunIndex::open(data_dir);
  if (!index) return report_failure(index.error());
  if (auto synced = index->sync(); !synced) return report_failure(synced.error());
  const auto state = read_state(data_dir);
  if (!state) return report_failure(state.error());
  const auto runs = runs_of_model(*index, *state, model.fingerprint);
  if (!runs) return report_failure(runs.error());
  const bool is_trial = invocation.has("dry-run");
  tell(data_dir, *runs, is_trial);
  if (!is_trial && !runs->changes_nothing()) {
    if (!confirmed(invocation, fmt::format("Delete {} run(s) of {} for good?", runs->own.size(),
                                           printable(model.name, 80)))) {
      return report_failure(
          Error(Errc::kInvalidArgument, "nothing was deleted", "--yes deletes without asking"));
    }
    if (auto done = reset_model(data_dir, *index, model.fingerprint, *runs); !done) {
      return report_failure(done.error());
    }
  }
  if (invocation.spec.json) {
    fmt::print("{}\n",
               result_json(model, *runs).dump(2, ' ', false, Json::error_handler_t::replace));
  } else if (runs->changes_nothing() && !invocation.spec.quiet) {
    fmt::print(stderr, "nothing {} of {}\n", runs->kept.empty() ? "was measured" : "can be deleted",
               printable(model.name, 80));
  }
  return exit_code::kDone;
}

}  // namespace

int command_models_reset(Invocation& invocation) {
  const auto data_dir = data_dir_of(invocation.spec);
  if (!data_dir) return report_failure(data_dir.error());
  sweep_detached(*data_dir);
  const std::string name = invocation.argument("NAME");
  const int64_t forgotten = forget_failed(invocation, *data_dir, name);
  if (name.empty()) return exit_code::kDone;
  const auto lock = RunLock::acquire(lock_path(), "reset");
  if (!lock) {
    return report_failure(
        Error(lock.error().code, lock.error().message, "do it again when that is done"));
  }
  const auto model = identity_of_model(invocation, name);
  if (!model && forgotten > 0 && model.error().code == Errc::kNotFound) return exit_code::kDone;
  if (!model) return report_failure(model.error());
  return reset_results(invocation, *data_dir, *model);
}

}  // namespace assay
