#include "archive/package.h"

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/ids.h"
#include "base/text.h"
#include "model/json.h"
#include "reports/builtin.h"
#include "reports/report_model.h"
#include "reports/run_document.h"
#include "store/ledger.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

/// Names that many machines share tell nothing about one.
bool tells_something(const std::string& word) {
  static const std::set<std::string, std::less<>> kCommon{"root",      "user",      "admin",
                                                          "localhost", "127.0.0.1", "::1"};
  return word.size() >= 3 && !kCommon.contains(word);
}

/// What must be known of a run before others can use its numbers: source 004's second hard rule.
Result<void> need_identity(const RunMeta& meta) {
  std::vector<std::string> missing;
  bool asked = false;
  for (const PreflightCheck& check : meta.preflight) {
    asked = asked || check.identity;
    if (check.identity && !check.ok) {
      missing.push_back(fmt::format("{}: {}", check.name, printable(check.detail, 120)));
    }
  }
  if (!asked) missing.emplace_back("it records no commit, version or digest of what was measured");
  if (missing.empty()) return {};
  return fail(Errc::kConflict,
              fmt::format("run {} cannot be published: incomplete_metadata: {}",
                          meta.run_id.substr(0, 8), join(missing, "; ")),
              "measure a file of cells in a git tree: assay run --cells-yaml FILE "
              "--for-publication");
}

/// `change` for every line of a file; lines it cannot read are left out.
template <class Change>
Result<int64_t> rewrite(const fs::path& from, const fs::path& to, Change change) {
  std::ifstream in(from, std::ios::binary);
  if (!in) return fail(Errc::kIo, fmt::format("{} cannot be read", from.string()));
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  int64_t left_out = 0;
  for (std::string line; std::getline(in, line);) {
    const Result<std::string> changed = change(line);
    if (changed) {
      out << *changed << '\n';
    } else {
      ++left_out;
    }
  }
  out.close();
  if (!out) return fail(Errc::kIo, fmt::format("{} cannot be written", to.string()));
  return left_out;
}

void add_known_here(const fs::path& environment_raw, Privacy& privacy) {
  const auto text = read_file(environment_raw);
  if (!text) return;  // An imported or an old run.
  const Json json = Json::parse(*text, nullptr, false);
  const auto add = [&](const Json& value) {
    if (value.is_string() && tells_something(value)) privacy.known.insert(value);
  };
  if (!json.is_object()) return;
  for (const char* name : {"host", "user", "home"}) {
    if (json.contains(name)) add(json[name]);
  }
  for (const Json& address : json.value("addresses", Json::array())) {
    if (address.is_object() && address.contains("address")) add(address["address"]);
  }
}

Privacy privacy_of(const RunMeta& meta, const Aliases& aliases, const fs::path& environment_raw) {
  Privacy privacy;
  add_known_here(environment_raw, privacy);
  for (const auto& [real, alias] : aliases.words()) {
    if (real == alias) {
      privacy.accepted.insert(real);
      privacy.known.erase(real);
    } else if (tells_something(real)) {
      privacy.known.insert(real);
    }
  }
  for (const Cell& cell : meta.cells) {
    privacy.versions.insert(cell.version);
    for (const std::string& name : {cell.id, cell.model}) {
      if (name.find('@') != std::string::npos) privacy.names.insert(name);
    }
  }
  if (meta.environment) {
    for (const Gpu& gpu : meta.environment->gpus) privacy.versions.insert(gpu.driver);
  }
  return privacy;
}

Json hardware_json(const RunMeta& meta) {
  return meta.environment ? Json(environment_json(*meta.environment)) : Json(nullptr);
}

Result<Json> file_json(const fs::path& path) {
  const auto text = read_file(path, int64_t{4} << 30);
  if (!text) return fail(text.error());
  return Json{
      {"name", path.filename().string()}, {"bytes", text->size()}, {"sha256", sha256_hex(*text)}};
}

Result<Json> metadata_json(const ReportModel& model, const Package& package) {
  const RunMeta& meta = model.meta;
  Json cells = Json::array();
  for (const Cell& cell : meta.cells) {
    cells.push_back({{"id", cell.id},
                     {"engine", cell.kind},
                     {"engine_version", cell.version},
                     {"model", cell.model},
                     {"quantization", cell.quantization},
                     {"digest", cell.digest}});
  }
  Json prompts = Json::array();
  for (const Prompt& prompt : meta.prompts) {
    prompts.push_back({{"id", prompt.id}, {"sha256", prompt.sha256}});
  }
  Json files = Json::array();
  for (const char* name : {"run.jsonl", "run.log", "run.md", "run.html"}) {
    if (!fs::exists(package.folder / name)) continue;
    auto file = file_json(package.folder / name);
    if (!file) return fail(file.error());
    files.push_back(std::move(*file));
  }
  Json replaced = Json::object();
  for (const auto& [alias, times] : package.replaced) replaced[alias] = times;
  return Json{{"schema", "assay.archive_run/1"},
              {"benchmark_run_id", meta.run_id},
              {"started_at_utc", meta.started_at_utc},
              {"state", model.state},
              {"suite", meta.suite},
              {"suite_rev", meta.suite_rev},
              {"harness_version", meta.harness_version},
              {"assay_version", meta.assay_version},
              {"git_sha", meta.git_sha},
              {"git_changes", meta.git_changes},
              {"cells", std::move(cells)},
              {"prompts", std::move(prompts)},
              {"calls", calls_document(model)},
              {"unreliable", package.unreliable},
              {"hardware", hardware_json(meta)},
              {"replaced", std::move(replaced)},
              {"left_out_lines", package.left_out_lines},
              {"files", std::move(files)}};
}

}  // namespace

Result<Package> package_run(const fs::path& ledger, Aliases aliases, const fs::path& folder) {
  const auto whole = read_ledger(ledger);
  if (!whole) return fail(whole.error());
  if (auto known = need_identity(whole->meta); !known) return fail(known.error());
  suggest_aliases(whole->meta, aliases);

  Package package;
  package.run_id = whole->meta.run_id;
  package.folder = folder;
  package.privacy = privacy_of(whole->meta, aliases, ledger.parent_path() / "environment_raw.json");

  const auto left_out = rewrite(ledger, folder / "run.jsonl", [&](const std::string& line) {
    return redact_line(line, aliases);
  });
  if (!left_out) return fail(left_out.error());
  package.left_out_lines = *left_out;
  if (const fs::path log = ledger.parent_path() / "run.log"; fs::exists(log)) {
    const auto copied = rewrite(log, folder / "run.log", [&](const std::string& line) {
      return Result<std::string>(aliases.apply(line));
    });
    if (!copied) return fail(copied.error());
  }

  auto content = read_ledger(folder / "run.jsonl");
  if (!content) return fail(content.error());
  const ReportModel model = make_report_model(std::move(*content));
  for (const Caveat& caveat : model.unreliable) {
    package.unreliable.push_back(fmt::format("{}: {}", caveat.code, caveat.detail));
  }
  const RenderOptions options;
  for (const auto& [name, text] : {std::pair{"run.md", render_markdown(model, options)},
                                   std::pair{"run.html", render_html(model, options)}}) {
    if (auto written = write_file_atomic(folder / name, text); !written) {
      return fail(written.error());
    }
  }
  package.replaced = aliases.used();
  const auto metadata = metadata_json(model, package);
  if (!metadata) return fail(metadata.error());
  if (auto written = write_file_atomic(folder / "metadata.json", metadata->dump(2) + "\n");
      !written) {
    return fail(written.error());
  }
  return package;
}

}  // namespace assay
