#include "run/registry_cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "net/url.h"
#include "registry/content_digest.h"
#include "registry/eligibility.h"
#include "registry/find_models.h"
#include "registry/place.h"
#include "run/estimate.h"
#include "run/model_filter.h"
#include "run/model_registry.h"
#include "run/planner.h"
#include "store/run_dir.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOurKind = "llamacpp";

bool is_offered(const std::vector<TargetAnswer>& answers, const std::string& name) {
  return std::ranges::any_of(answers, [&](const TargetAnswer& answer) {
    return std::ranges::any_of(answer.models,
                               [&](const ModelInfo& m) { return glob_match(name, m.name); });
  });
}

/// Of --model, those that may mean a file.
std::vector<std::string> names_of_files(const RunSpec& spec,
                                        const std::vector<TargetAnswer>& answers) {
  std::vector<std::string> names;
  for (const std::string& name : spec.models) {
    if (is_pattern(name) || !is_offered(answers, name)) names.push_back(name);
  }
  return names;
}

/// Files that a llama.cpp server of this machine tells that it serves.
std::set<fs::path> served_files(const std::vector<TargetAnswer>& answers) {
  std::set<fs::path> served;
  for (const TargetAnswer& answer : answers) {
    const auto url = parse_url(answer.url);
    if (answer.kind != kOurKind || !url || !url->is_loopback()) continue;
    for (const ModelInfo& model : answer.models) {
      std::error_code error;
      const fs::path file = fs::weakly_canonical(model.file, error);
      if (!error && file.is_absolute()) served.insert(file);
    }
  }
  return served;
}

bool is_served(const std::set<fs::path>& served, const RegisteredModel& model) {
  std::error_code error;
  const fs::path file = fs::weakly_canonical(model.listed.files.front(), error);
  return !error && served.contains(file);
}

/// What its header says of a model, as a server would.
ModelInfo told_by_header(const RegisteredModel& model, const RunSpec& spec) {
  ModelInfo info;
  info.name = model.listed.name;
  info.bytes = model.bytes;
  info.file = model.listed.files.front().string();
  // Only llama-server takes the projector that lets it see.
  info.vision = model.listed.projector.has_value() && !spec.llama_server.empty();
  if (!model.header) return info;
  info.quantization = model.header->quantisation;
  info.architecture = model.header->architecture;
  info.parameters = model.header->parameters;
  info.max_context = model.header->context_length;
  return info;
}

Result<Scan> registry_of(const RunSpec& spec) {
  const auto data_dir = data_directory(
      spec.data_dir.empty() ? std::nullopt : std::optional<std::string>(spec.data_dir));
  if (!data_dir) return fail(data_dir.error());
  return read_registry(*data_dir, surroundings(spec.models_dir), DigestCache::load(*data_dir));
}

Result<void> take(const RegisteredModel& model, FilesToMeasure& into) {
  auto file = model_file_of(model);
  if (!file) return fail(file.error());
  const bool there =
      std::ranges::any_of(into.files, [&](const ModelFile& f) { return f.path == file->path; });
  if (!there) into.files.push_back(std::move(*file));
  return {};
}

std::string next_step(const RegisteredModel& model) {
  const std::string name = printable(model.listed.name, 80);
  if (!why_not_enabled(model).empty()) {
    return fmt::format("'assay models show {}' tells more", name);
  }
  if (!model.enabled) {
    return fmt::format("'assay models enable {0}', then 'assay models benchmark {0}'", name);
  }
  return fmt::format("'assay models benchmark {}'", name);
}

/// Those of the registry that a name means. An ineligible one is only told of.
Result<void> take_named(const std::vector<RegisteredModel>& models, const std::string& name,
                        const std::set<fs::path>& served, FilesToMeasure& into) {
  std::vector<RegisteredModel> eligible;
  std::ranges::copy_if(models, std::back_inserter(eligible), is_eligible);
  if (const auto found = find_models(eligible, name)) {
    into.names.push_back(name);
    for (const size_t index : *found) {
      if (is_served(served, eligible[index])) continue;
      if (auto taken = take(eligible[index], into); !taken) return taken;
    }
    return {};
  } else if (found.error().code != Errc::kNotFound) {
    return fail(found.error());
  }
  const auto others = find_models(models, name);
  if (!others) return {};  // Servers may know it.
  for (const size_t index : *others) {
    const RegisteredModel& model = models[index];
    const auto why = why_not_eligible(model);
    if (why.empty()) continue;
    into.why_not.push_back(
        fmt::format("the model file {}: {}", printable(model.listed.name, 80), why.front()));
    if (into.hint.empty()) into.hint = next_step(model);
  }
  return {};
}

/// All that are eligible and hold the conditions; what was left out is noted with its reasons.
Result<void> take_all(const std::vector<RegisteredModel>& models, const RunSpec& spec,
                      const std::set<fs::path>& served, FilesToMeasure& into, const OnNote& note) {
  const auto filter = ModelFilter::of(spec);
  if (!filter) return fail(filter.error());
  std::map<std::string, int64_t> left_out;
  int64_t seen = 0;
  bool any_eligible = false;
  for (const RegisteredModel& model : models) {
    if (model.state == ModelState::kMissing || model.state == ModelState::kShadowed) continue;
    ++seen;
    const auto reasons = why_not_eligible(model);
    any_eligible |= reasons.empty();
    std::string why = reasons.empty()        ? std::string()
                      : model.reason.empty() ? reasons.front()
                                             : "it is not whole";
    if (why.empty()) why = filter->refuses(told_by_header(model, spec));
    if (why.empty() && is_served(served, model)) why = "a server here serves it already";
    const bool named =
        spec.models.empty() || std::ranges::any_of(spec.models, [&](const std::string& name) {
          return glob_match(name, model.listed.name);
        });
    if (why.empty() && !named) why = "-m";
    if (!why.empty()) {
      into.refused += reasons.empty() ? 1 : 0;
      ++left_out[why];
      continue;
    }
    if (auto taken = take(model, into); !taken) return taken;
  }
  // People who keep no registry are not told of it with every run.
  if (!any_eligible) return {};
  std::vector<std::string> reasons;
  for (const auto& [why, count] : left_out) reasons.push_back(fmt::format("{} ({})", why, count));
  note(fmt::format("model files enabled for benchmarks: {} of {} model files{}{}",
                   into.files.size(), seen,
                   reasons.empty() ? "" : "; left out: ", join(reasons, ", ")));
  return {};
}

/// Ids tell cells apart; a name that a server's model has too is followed by how ours is started.
std::string own_id(const Session& session, const Cell& cell) {
  const auto is_taken = [&](const std::string& id) {
    return std::ranges::any_of(session.cells, [&](const LiveCell& live) {
      return &live.cell != &cell && live.cell.id == id;
    });
  };
  std::string id = cell.id;
  if (is_taken(id)) id += "@" + cell.launcher;
  const std::string base = id;
  for (int no = 2; is_taken(id); ++no) id = fmt::format("{}-{}", base, no);
  return id;
}

void add_unavailable(Session& session, const ModelFile& file, const std::string& why) {
  LiveCell live;
  live.cell.id = fmt::format("local:{}:{}", kOurKind, file.name);
  live.cell.kind = kOurKind;
  live.cell.model = file.name;
  live.cell.managed = true;
  live.cell.quantization = file.header.quantisation;
  live.cell.unavailable = why;
  session.cells.push_back(std::move(live));
}

}  // namespace

Result<FilesToMeasure> files_to_measure(const RunSpec& spec,
                                        const std::vector<TargetAnswer>& answers,
                                        const OnNote& note) {
  FilesToMeasure found;
  const bool all = asks_for_all_models(spec);
  if (!spec.targets.empty() || (!spec.engine.empty() && spec.engine != kOurKind)) return found;
  const auto names = all ? std::vector<std::string>() : names_of_files(spec, answers);
  if (!all && names.empty()) return found;
  const auto scan = registry_of(spec);
  if (!scan) return fail(scan.error());
  const auto served = served_files(answers);
  if (all) {
    if (auto taken = take_all(scan->models, spec, served, found, note); !taken) {
      return fail(taken.error());
    }
    return found;
  }
  for (const std::string& name : names) {
    if (auto taken = take_named(scan->models, name, served, found); !taken) {
      return fail(taken.error());
    }
  }
  return found;
}

Result<void> add_registry_cells(Session& session, const RunSpec& spec,
                                const std::vector<ModelFile>& files, const OnNote& note) {
  const bool one_at_a_time = files.size() > 1;
  for (const ModelFile& file : files) {
    const size_t at = session.cells.size();
    if (auto added = add_managed_cell(session, spec, file, note); !added) {
      if (at == 0 && !one_at_a_time) return added;
      note(fmt::format("{}: {}", printable(file.name, 80), added.error().message));
      add_unavailable(session, file, added.error().message);
    }
    LiveCell& live = session.cells[at];
    live.cell.id = own_id(session, live.cell);
    if (!one_at_a_time) continue;
    if (needs_estimates(spec)) estimate_cell(session, live, spec, needed_context(spec), note);
    if (ManagedEngine* engine = session.managed(live)) engine->stop();
  }
  return {};
}

}  // namespace assay
