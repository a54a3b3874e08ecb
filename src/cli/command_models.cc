#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/clock.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/registry_view.h"
#include "cli/show_run.h"
#include "registry/eligibility.h"
#include "registry/find_models.h"
#include "run/model_registry.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

void print_json(const Json& json) {
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

ProgressLine progress_line(const Invocation& invocation) {
  return ProgressLine(!invocation.spec.quiet && !invocation.spec.no_progress);
}

/// A file that is there means the model it belongs to, however its path is written.
std::string name_or_path(const std::string& text) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(text, error)) return text;
  const auto path = std::filesystem::weakly_canonical(text, error);
  return error ? text : path.string();
}

/// Reads what has no digest yet, and puts the digests into the state.
Result<void> complete_digests(RegistryView& view, ProgressLine& line) {
  auto added = add_digests(view.scan.models, view.cache, [&](const DigestsDone& done) {
    line.show(fmt::format("reading {}  {} of {}", printable(done.model->listed.name, 40),
                          bytes_text(done.done_bytes), bytes_text(done.total_bytes)));
    return true;
  });
  line.clear();
  if (!added) return added;
  const auto state = read_state(view.data_dir);
  if (!state) return fail(state.error());
  Scan found = view.scan;
  std::erase_if(found.models,
                [](const RegisteredModel& m) { return m.state == ModelState::kMissing; });
  const auto facts = facts_of_scan(found, *state, utc_text(wall_now_ns()));
  view.groups = same_weights(view.scan.models);
  return add_to_state(view.data_dir, facts);
}

int64_t without_digest(const RegistryView& view) {
  return std::ranges::count_if(view.scan.models, [](const RegisteredModel& model) {
    return model.state == ModelState::kWhole && !model.digest;
  });
}

int scan_result(const RegistryView& view) {
  for (const ScannedRoot& root : view.scan.roots) {
    if (!root.problems.empty()) return exit_code::kFailed;
  }
  return exit_code::kDone;
}

}  // namespace

int command_models_scan(Invocation& invocation) {
  ProgressLine line = progress_line(invocation);
  auto view = open_registry(invocation, line);
  if (!view) return report_failure(view.error());
  const bool is_table = !invocation.spec.json && !invocation.spec.quiet;
  // What the headers say is there at once; reading whole files can take long.
  if (is_table) {
    fmt::print("{}", registry_table(*view));
    std::fflush(stdout);
  }
  const std::string known = weights_text(*view);
  if (!invocation.has("no-digest")) {
    if (auto done = complete_digests(*view, line); !done) return report_failure(done.error());
  }
  if (invocation.spec.json) {
    print_json(registry_json(*view));
    return scan_result(*view);
  }
  if (invocation.spec.quiet) {
    for (const RegisteredModel& model : view->scan.models) fmt::print("{}\n", model.listed.name);
    return scan_result(*view);
  }
  if (const std::string now = weights_text(*view); now != known) fmt::print("{}", now);
  if (const int64_t left = without_digest(*view); left > 0 && !invocation.has("no-digest")) {
    fmt::print(stderr, "{} models have no digest yet: 'assay models scan' goes on\n", left);
  }
  if (view->scan.roots.empty()) {
    fmt::print(stderr,
               "there is no directory to scan\n"
               "  hint: --models-dir DIR scans one; models-dir in assay.yaml keeps it\n");
  }
  return scan_result(*view);
}

int command_models_show(Invocation& invocation) {
  ProgressLine line = progress_line(invocation);
  const auto view = open_registry(invocation, line);
  if (!view) return report_failure(view.error());
  const auto found = find_models(view->scan.models, name_or_path(invocation.argument("NAME")));
  if (!found) return report_failure(found.error());
  Json list = Json::array();
  for (const size_t index : *found) {
    if (invocation.spec.json) {
      list.push_back(registered_model_json(*view, index));
    } else {
      fmt::print("{}", registered_model_text(*view, index));
    }
  }
  if (invocation.spec.json) {
    print_json({{"schema", "assay.registry_models/1"}, {"models", std::move(list)}});
  }
  return exit_code::kDone;
}

namespace {

/// What one of the commands does to a model.
struct FlagChange {
  std::string_view done;  ///< What is said when it is done.
  /// Why it must not be; empty when it may.
  std::vector<std::string> (*why_not)(const RegisteredModel&);
  void (*apply)(ModelFlags&);
};

std::vector<std::string> always(const RegisteredModel& /*model*/) { return {}; }

std::vector<std::string> why_no_benchmark(const RegisteredModel& model) {
  RegisteredModel marked = model;
  marked.benchmark = true;
  return why_not_eligible(marked);
}

int change_flags(const Invocation& invocation, const FlagChange& change) {
  ProgressLine line = progress_line(invocation);
  const auto view = open_registry(invocation, line);
  if (!view) return report_failure(view.error());
  std::vector<Fact> facts;
  Json changed = Json::array();
  Json refused = Json::array();
  bool any_refused_by_name = false;
  std::vector<std::string> lines;
  for (const std::string& name : invocation.arguments.find("NAME")->second) {
    const auto found = find_models(view->scan.models, name_or_path(name));
    if (!found) return report_failure(found.error());
    for (const size_t index : *found) {
      const RegisteredModel& model = view->scan.models[index];
      const std::string shown = printable(model.listed.name);
      if (const auto reasons = change.why_not(model); !reasons.empty()) {
        any_refused_by_name |= !is_pattern(name);
        refused.push_back({{"name", model.listed.name}, {"why_not", reasons}});
        const std::string hint =
            model.state == ModelState::kWhole && !model.enabled && why_not_enabled(model).empty()
                ? fmt::format("'assay models enable {}' first", shown)
                : fmt::format("'assay models show {}' tells more", shown);
        print_error(Error(Errc::kConflict, fmt::format("{}: {}", shown, reasons.front()), hint));
        continue;
      }
      ModelFlags flags{model.fingerprint, model.enabled, model.benchmark, utc_text(wall_now_ns())};
      change.apply(flags);
      changed.push_back({{"fingerprint", flags.fingerprint},
                         {"name", model.listed.name},
                         {"enabled", flags.enabled},
                         {"benchmark", flags.benchmark}});
      lines.push_back(fmt::format("{} {}\n", shown, change.done));
      facts.emplace_back(std::move(flags));
    }
  }
  if (auto added = add_to_state(view->data_dir, facts); !added) {
    return report_failure(added.error());
  }
  const bool none = facts.empty();
  if (invocation.spec.json) {
    print_json({{"schema", "assay.model_flags/1"}, {"models", changed}, {"refused", refused}});
  } else if (!invocation.spec.quiet) {
    for (const std::string& text : lines) fmt::print("{}", text);
  }
  return any_refused_by_name || none ? exit_code::kRefused : exit_code::kDone;
}

}  // namespace

int command_models_enable(Invocation& invocation) {
  return change_flags(
      invocation, {"is enabled", why_not_enabled, [](ModelFlags& flags) { flags.enabled = true; }});
}

int command_models_disable(Invocation& invocation) {
  return change_flags(invocation,
                      {"is disabled", always, [](ModelFlags& flags) { flags.enabled = false; }});
}

int command_models_benchmark(Invocation& invocation) {
  if (invocation.has("off")) {
    return change_flags(invocation, {"is left out of benchmarks", always,
                                     [](ModelFlags& flags) { flags.benchmark = false; }});
  }
  return change_flags(invocation, {"is benchmarked", why_no_benchmark,
                                   [](ModelFlags& flags) { flags.benchmark = true; }});
}

}  // namespace assay
