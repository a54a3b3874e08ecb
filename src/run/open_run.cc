#include "run/open_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/text.h"
#include "run/declared_cells.h"
#include "run/matrix.h"

namespace assay {
namespace {

/// How the model of a cell is to be loaded: as the run says, and its combination of a matrix.
LaunchSettings asked_load_in(const RunSpec& spec, const Cell& cell) {
  const auto matrix = matrix_of(spec);
  if (!matrix) return {};
  for (const Variant& variant : *matrix) {
    if (variant.matrix == cell.matrix) return load_settings_of(variant.spec);
  }
  return load_settings_of(spec);
}

/// The same for engines of ours, which are started again. They have to load as they did.
Result<void> reopen_managed(Session& session, const RunSpec& spec, const RunMeta& meta,
                            const OnNote& note) {
  auto variants = variants_of(spec);
  if (!variants) return fail(variants.error());
  if (auto opened = open_run(session, spec, *variants, note); !opened) return opened;
  for (size_t i = 0; i < meta.cells.size(); ++i) {
    const Cell& before = meta.cells[i];
    const Cell now = i < session.cells.size() ? session.cells[i].cell : Cell();
    if (now.id != before.id || session.cells.size() != meta.cells.size()) {
      return fail(Errc::kConflict, fmt::format("this machine now offers {} instead of {}",
                                               now.id.empty() ? "nothing" : now.id, before.id));
    }
    const auto& loaded = before.load_effective;
    if (now.unavailable.empty() && loaded && now.load_effective != loaded) {
      return fail(Errc::kConflict,
                  fmt::format("{} was loaded with other settings than before", now.id),
                  "run it again; what was measured stays in its ledger");
    }
    session.cells[i].cell = before;
    session.cells[i].cell.url = now.url;
    session.cells[i].cell.unavailable = now.unavailable;
    if (!now.unavailable.empty() && before.unavailable.empty()) return fail(not_loaded(now));
  }
  return {};
}

}  // namespace

Result<void> open_run(Session& session, const RunSpec& spec, std::vector<Variant>& variants,
                      const OnNote& note) {
  auto matrix = matrix_of(spec);
  if (!matrix) return fail(matrix.error());
  if (!matrix->empty()) {
    auto of_cells = open_matrix(session, *matrix, note);
    if (!of_cells) return fail(of_cells.error());
    variants = std::move(*of_cells);
    return {};
  }
  if (variants.empty()) return open_cells(session, spec, note);
  for (const Variant& variant : variants) {
    const size_t before = session.cells.size();
    if (auto opened = open_cells(session, variant.spec, note); !opened) return opened;
    if (session.cells.size() != before + 1) {
      return fail(Errc::kInvalidArgument,
                  fmt::format("variant {} names {} cells: it has to be one", variant.name,
                              session.cells.size() - before),
                  "name one target and one model");
    }
    Cell& cell = session.cells.back().cell;
    if (!cell.unavailable.empty()) {
      return fail(Errc::kUnavailable,
                  fmt::format("variant {}: {}", variant.name, cell.unavailable));
    }
    cell.variant = variant.name;
    cell.id += "@" + variant.name;
  }
  return {};
}

RunSpec to_record(RunSpec spec, const std::vector<Cell>& cells) {
  const bool named_file = !spec.gguf.empty() || !spec.shape.empty();
  if (named_file || std::ranges::none_of(cells, &Cell::managed)) spec.models_dir.clear();
  const auto from_anywhere = [](std::string& path) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(path, error);
    if (!path.empty() && !error) path = absolute.lexically_normal().string();
  };
  from_anywhere(spec.gguf);
  for (std::string& directory : spec.models_dir) from_anywhere(directory);
  // Without a folder it is a name on PATH.
  if (spec.llama_server.find('/') != std::string::npos) from_anywhere(spec.llama_server);
  return spec;
}

Result<RunSpec> recorded_spec(const RunMeta& meta, const RunSpec& caller) {
  RunSpec spec;
  const auto json = nlohmann::json::parse(meta.options_json, nullptr, false);
  for (BoundOption& option : bind_options(spec)) {
    const std::string name(option.info.name);
    if (!json.is_object() || !json.contains(name)) continue;
    std::vector<std::string> values;
    if (json[name].is_array()) {
      for (const auto& item : json[name]) values.push_back(item.get<std::string>());
    } else {
      values.push_back(json[name].get<std::string>());
    }
    if (auto set = option.set(values); !set) {
      return fail(Errc::kProtocol,
                  fmt::format("the ledger's option {} is damaged: {}", name, set.error().message));
    }
  }
  if (spec.models_dir.empty()) spec.models_dir = caller.models_dir;
  spec.data_dir = caller.data_dir;
  spec.wait = caller.wait;
  spec.api_key_file = caller.api_key_file.empty() ? spec.api_key_file : caller.api_key_file;
  return spec;
}

Error not_loaded(const Cell& cell) {
  return {Errc::kUnavailable,
          fmt::format("{} could not be loaded: {}", printable(cell.model, 80), cell.unavailable)};
}

Result<void> reopen_cells(Session& session, const RunSpec& spec, const RunMeta& meta,
                          const OnNote& note) {
  const bool managed =
      std::any_of(meta.cells.begin(), meta.cells.end(), [](const Cell& c) { return c.managed; });
  if (managed) return reopen_managed(session, spec, meta, note);
  if (!spec.cells_yaml.empty()) return reopen_declared_cells(session, spec, meta.cells);
  RunSpec probe = spec;
  probe.targets.clear();
  for (const Cell& cell : meta.cells) {
    if (std::find(probe.targets.begin(), probe.targets.end(), cell.url) == probe.targets.end()) {
      probe.targets.push_back(cell.url);
    }
  }
  auto answers = probe_targets(session, probe);
  if (!answers) return fail(answers.error());
  for (const Cell& cell : meta.cells) {
    LiveCell live;
    live.cell = cell;
    live.asked_load = asked_load_in(spec, cell);
    for (const TargetAnswer& answer : *answers) {
      if (answer.url != cell.url) continue;
      if (cell.unavailable.empty() && answer.kind != cell.kind) {
        return fail(Errc::kUnavailable,
                    fmt::format("{} does not answer any more: {}", cell.url,
                                answer.kind.empty() ? answer.error : "it is now " + answer.kind),
                    "start it again, then resume");
      }
      live.engine = answer.engine;
    }
    session.cells.push_back(std::move(live));
  }
  return {};
}

}  // namespace assay
