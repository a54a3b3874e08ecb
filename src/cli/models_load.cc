#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/registry_view.h"
#include "cli/show_run.h"
#include "model/json.h"
#include "registry/eligibility.h"
#include "registry/find_models.h"
#include "run/load_model.h"
#include "run/model_file.h"
#include "store/run_lock.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

Json process_json(const DetachedEngine& e) {
  return {{"id", e.id},
          {"name", e.name},
          {"state", to_text(e.state)},
          {"launcher", e.launcher},
          {"url", e.url},
          {"pid", e.process.pid},
          {"gguf", e.gguf},
          {"load", load_history_json(e.load)},
          {"error", e.error.empty() ? Json(nullptr) : Json(e.error)},
          {"since_utc", e.since_utc}};
}

int print_json(const Json& json) {
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
  return exit_code::kDone;
}

void say(const Invocation& invocation, const std::string& text) {
  if (!invocation.spec.quiet) fmt::print(stderr, "{}\n", printable(text, 600));
}

/// The data directory, with what died since last time taken notice of.
Result<std::filesystem::path> swept_data_dir(const Invocation& invocation) {
  auto data_dir = data_dir_of(invocation.spec);
  if (!data_dir) return data_dir;
  for (const std::string& swept : sweep_detached(*data_dir)) say(invocation, swept);
  return data_dir;
}

/// Those of `name`, which may be an id; all of them for an empty one. kNotFound.
Result<std::vector<DetachedEngine>> named_engines(const std::filesystem::path& data_dir,
                                                  const std::string& name) {
  auto engines = detached_engines(data_dir);
  if (name.empty()) return engines;
  std::erase_if(engines, [&](const DetachedEngine& e) { return e.name != name && e.id != name; });
  if (!engines.empty()) return engines;
  return fail(Errc::kNotFound, fmt::format("no model '{}' is loaded", printable(name, 80)),
              "'assay models ps' lists them");
}

/// The file that is meant: by its path, or by the name that 'models scan' lists. Of a set of parts
/// it is the first. kConflict for one that may not be used.
Result<std::filesystem::path> model_file(const Invocation& invocation, const std::string& name) {
  std::error_code error;
  if (std::filesystem::is_regular_file(name, error)) {
    const auto file = model_file_at(std::filesystem::absolute(name));
    if (!file) return fail(file.error());
    return file->path;
  }
  ProgressLine line(!invocation.spec.quiet && !invocation.spec.no_progress);
  const auto view = open_registry(invocation, line);
  if (!view) return fail(view.error());
  const auto found = find_models(view->scan.models, name);
  if (!found) return fail(found.error());
  if (found->size() != 1) {
    return fail(Errc::kInvalidArgument,
                fmt::format("{} models match '{}'", found->size(), printable(name, 80)),
                "one is loaded at a time");
  }
  const RegisteredModel& model = view->scan.models[found->front()];
  if (const auto why = why_not_enabled(model); !why.empty()) {
    return fail(Errc::kConflict, fmt::format("{} cannot be loaded: {}",
                                             printable(model.listed.name, 80), join(why, "; ")));
  }
  if (!model.enabled) {
    return fail(
        Errc::kConflict, fmt::format("{} is not enabled", printable(model.listed.name, 80)),
        fmt::format("'assay models enable {}' lets it be used", printable(model.listed.name, 80)));
  }
  return model.listed.files.front();
}

/// A model that appears or goes while a run measures is part of what it measures.
Result<RunLock> no_run_measures() {
  auto lock = RunLock::acquire(lock_path(), "loading");
  if (lock || lock.error().code != Errc::kConflict) return lock;
  return fail(Errc::kConflict, lock.error().message, "do it again when that is done, or stop it");
}

}  // namespace

int command_models_load(Invocation& invocation) {
  if (const auto faults = check_settings(invocation.spec, invocation.settings); !faults.empty()) {
    return report_failure(Error(Errc::kInvalidArgument, join(faults, "\n")));
  }
  const auto data_dir = swept_data_dir(invocation);
  if (!data_dir) return report_failure(data_dir.error());
  const auto gguf = model_file(invocation, invocation.argument("NAME"));
  if (!gguf) return report_failure(gguf.error());
  const auto lock = no_run_measures();
  if (!lock) return report_failure(lock.error());
  if (invocation.spec.prepare == "stop-managed") {
    for (const DetachedEngine& other : detached_engines(*data_dir)) {
      if (!other.is_alive()) continue;
      say(invocation, fmt::format("stopping {}", other.name));
      if (auto ended = end_detached(*data_dir, other); !ended) {
        return report_failure(ended.error());
      }
    }
  }
  const OnNote note = [&](const std::string& text) { say(invocation, text); };
  const auto engine = load_model(invocation.spec, *data_dir, *gguf, note);
  if (!engine) return report_failure(engine.error());
  if (invocation.spec.json) {
    return print_json({{"schema", "assay.loaded/1"}, {"engines", {process_json(*engine)}}});
  }
  fmt::print("{}\n", engine->url);
  say(invocation, fmt::format("{} is loaded; 'assay run -m {}' measures it, 'assay models unload "
                              "{}' ends it",
                              engine->name, engine->name, engine->name));
  return exit_code::kDone;
}

int command_models_unload(Invocation& invocation) {
  const auto data_dir = swept_data_dir(invocation);
  if (!data_dir) return report_failure(data_dir.error());
  const std::string name = invocation.argument("NAME");
  if (name.empty() != invocation.has("all")) {
    return report_failure(Error(Errc::kInvalidArgument, "name a model, or give --all",
                                "'assay models ps' lists them"));
  }
  const auto engines = named_engines(*data_dir, name);
  if (!engines) return report_failure(engines.error());
  // A load under way holds the lock, and can be stopped all the same.
  const bool loading = std::ranges::any_of(
      *engines, [](const DetachedEngine& e) { return e.state == DetachedEngine::State::kLoading; });
  std::optional<RunLock> lock;
  if (!loading) {
    auto taken = no_run_measures();
    if (!taken) return report_failure(taken.error());
    lock.emplace(std::move(*taken));
  }
  for (const DetachedEngine& engine : *engines) {
    if (engine.state == DetachedEngine::State::kFailed) {
      if (!name.empty()) {
        say(invocation,
            fmt::format("{} failed and runs no more; 'assay models reset {}' forgets it",
                        engine.name, engine.name));
      }
      continue;
    }
    if (auto ended = end_detached(*data_dir, engine); !ended) return report_failure(ended.error());
    say(invocation, fmt::format("unloaded {}", engine.name));
  }
  return exit_code::kDone;
}

int command_models_ps(Invocation& invocation) {
  const auto data_dir = swept_data_dir(invocation);
  if (!data_dir) return report_failure(data_dir.error());
  const auto engines = detached_engines(*data_dir);
  if (invocation.spec.json) {
    Json list = Json::array();
    for (const DetachedEngine& engine : engines) list.push_back(process_json(engine));
    return print_json({{"schema", "assay.loaded/1"}, {"engines", std::move(list)}});
  }
  if (engines.empty()) fmt::print(stderr, "nothing is loaded: 'assay models load FILE' does it\n");
  for (const DetachedEngine& e : engines) {
    fmt::print("{}  {:<28} {:<8} {:<12} {:>8}  {:<24} {}\n", printable(e.id, 8),
               printable(e.name, 60), to_text(e.state), printable(e.launcher, 20), e.process.pid,
               printable(e.url, 40), printable(e.error.empty() ? e.since_utc : e.error, 200));
  }
  return exit_code::kDone;
}

}  // namespace assay
