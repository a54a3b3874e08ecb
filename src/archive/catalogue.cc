#include "archive/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/files.h"
#include "stats/metrics.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::string_view kSchemaVersion = "1.0-draft";

constexpr std::string_view kReadme = R"(# Benchmark archive

Measurements of language models, as they were taken. `catalogue.json` lists all runs; each has its
folder `runs/<id>`:

| file | what it is |
|---|---|
| `run.jsonl` | the ledger: one line for the circumstances, one for every call, one for the end |
| `run.log` | what happened when |
| `run.md`, `run.html` | the report, made from the ledger alone |
| `metadata.json` | what was measured, on what, what makes it unreliable, hashes of the files |

`methodology.md` defines every figure. A ledger can be read and compared again:
`assay report runs/<id>/run.jsonl` and `assay compare runs/<id>/run.jsonl runs/<other>/run.jsonl`.
Names of hosts and addresses were replaced before publication; nothing else was changed.
)";

constexpr std::string_view kLicense =
    "The contents of this archive are licensed under the Creative Commons Attribution 4.0\n"
    "International licence (CC BY 4.0): https://creativecommons.org/licenses/by/4.0/legalcode\n";

std::string methodology() {
  std::string out =
      "# Methodology\n\n"
      "Every figure is computed from the instants and counts in `run.jsonl`, taken on a steady "
      "clock "
      "before anything is parsed. Failed calls are kept. The metrics of a call:\n\n"
      "| metric | unit | definition |\n|---|---|---|\n";
  for (const Metric& metric : metrics()) {
    out += fmt::format("| `{}` | {} | {} |\n", metric.name, metric.unit, metric.definition);
  }
  return out;
}

/// Folders of runs, sorted. An archive without any is an empty one.
std::vector<fs::path> run_folders(const fs::path& archive) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator each(archive / "runs", error), end; !error && each != end;
       each.increment(error)) {
    if (fs::exists(each->path() / "metadata.json")) folders.push_back(each->path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

Result<Json> entry_of(const fs::path& folder) {
  const fs::path path = folder / "metadata.json";
  const auto text = read_file(path);
  if (!text) return fail(text.error());
  Json json = Json::parse(*text, nullptr, false);
  if (!json.is_object() || !json.contains("benchmark_run_id") ||
      !json["benchmark_run_id"].is_string()) {
    return fail(Errc::kProtocol, fmt::format("{} is no metadata of a run", path.string()));
  }
  Json entry;
  for (const char* name : {"benchmark_run_id", "started_at_utc", "suite", "harness_version",
                           "assay_version", "git_sha", "cells", "prompts", "calls", "unreliable"}) {
    entry[name] = json.value(name, Json(nullptr));
  }
  entry["completeness"] = fs::exists(folder / "run.jsonl") ? "complete" : "meta-only";
  entry["path"] = fmt::format("runs/{}", folder.filename().string());
  return entry;
}

}  // namespace

Result<CatalogueCounts> write_catalogue(const fs::path& archive) {
  std::vector<Json> entries;
  for (const fs::path& folder : run_folders(archive)) {
    auto entry = entry_of(folder);
    if (!entry) return fail(entry.error());
    entries.push_back(std::move(*entry));
  }
  const auto key = [](const Json& entry) {
    return std::pair(entry["started_at_utc"].dump(), entry["benchmark_run_id"].dump());
  };
  std::sort(entries.begin(), entries.end(),
            [&](const Json& a, const Json& b) { return key(a) < key(b); });
  CatalogueCounts counts;
  for (const Json& entry : entries) {
    ++counts.runs;
    counts.reliable += entry["unreliable"].empty() ? 1 : 0;
    counts.meta_only += entry["completeness"] == "meta-only" ? 1 : 0;
  }
  const Json catalogue{{"schema_version", kSchemaVersion}, {"benchmarks", entries}};
  if (auto written = write_file_atomic(archive / "catalogue.json", catalogue.dump(2) + "\n");
      !written) {
    return fail(written.error());
  }
  return counts;
}

void add_public_names(const fs::path& archive, Privacy& privacy) {
  for (const fs::path& folder : run_folders(archive)) {
    const auto entry = entry_of(folder);
    if (!entry) continue;  // write_catalogue() says so.
    for (const Json& cell : (*entry)["cells"]) {
      if (!cell.is_object()) continue;
      privacy.versions.insert(cell.value("engine_version", ""));
      for (const char* member : {"id", "model"}) {
        const std::string name = cell.value(member, "");
        if (name.find('@') != std::string::npos) privacy.names.insert(name);
      }
    }
  }
}

Result<void> write_archive_texts(const fs::path& archive) {
  for (const auto& [name, text] :
       {std::pair{"README.md", std::string(kReadme)}, std::pair{"methodology.md", methodology()},
        std::pair{"LICENSE", std::string(kLicense)}}) {
    if (fs::exists(archive / name)) continue;
    if (auto written = write_file_atomic(archive / name, text); !written) return written;
  }
  return {};
}

}  // namespace assay
