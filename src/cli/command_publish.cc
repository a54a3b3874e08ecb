#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "archive/publish.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/named_run.h"
#include "cli/show_run.h"
#include "store/state.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

Result<Aliases> aliases_of(const Invocation& invocation) {
  Aliases aliases;
  const auto given = invocation.flags.find("alias");
  if (given == invocation.flags.end()) return aliases;
  for (const std::string& pair : given->second) {
    const size_t at = pair.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == pair.size()) {
      return fail(Errc::kInvalidArgument,
                  fmt::format("--alias '{}' is not REAL=PUBLIC", printable(pair, 80)),
                  "such as --alias 10.0.0.5=tower; equal words let a text stand");
    }
    aliases.set(pair.substr(0, at), pair.substr(at + 1));
  }
  return aliases;
}

Result<PublishRequest> request_of(const Invocation& invocation) {
  PublishRequest request;
  request.archive = invocation.value("to");
  if (request.archive.empty()) {
    return fail(Errc::kInvalidArgument, "--to names the archive's folder",
                "such as: assay publish last --to ~/benchmarks");
  }
  auto aliases = aliases_of(invocation);
  if (!aliases) return fail(aliases.error());
  request.aliases = std::move(*aliases);
  request.dry_run = invocation.has("dry-run");
  for (const std::string& name : invocation.arguments.at("RUN")) {
    const auto run = find_named_run(invocation.spec, name);
    if (!run) return fail(run.error());
    request.ledgers.push_back(run->ledger);
  }
  if (!invocation.spec.quiet) {
    request.note = [](const std::string& line) { fmt::print(stderr, "{}\n", line); };
  }
  return request;
}

Json result_json(const PublishResult& result, bool dry_run) {
  Json runs = Json::array();
  for (const PublishedRun& run : result.runs) {
    runs.push_back({{"run_id", run.run_id},
                    {"folder", run.folder.string()},
                    {"was_there", run.was_there},
                    {"unreliable", run.unreliable},
                    {"replaced", Json(run.replaced)}});
  }
  Json findings = Json::array();
  for (const GateFinding& found : result.gate.findings) {
    findings.push_back({{"file", found.file},
                        {"line", found.line},
                        {"kind", found.kind},
                        {"text", to_valid_utf8(found.text)}});
  }
  return {{"published", result.gate.total == 0 && !dry_run},
          {"runs", std::move(runs)},
          {"files_looked_at", result.gate.files},
          {"private", {{"total", result.gate.total}, {"findings", std::move(findings)}}}};
}

void print_refusal(const GateResult& gate) {
  fmt::print("Refused: {} private {} in what would be published\n", gate.total,
             gate.total == 1 ? "text" : "texts");
  for (const GateFinding& found : gate.findings) {
    fmt::print("  {}:{}  {}: {}\n", printable(found.file), found.line, found.kind,
               printable(found.text));
  }
  if (gate.total > static_cast<int64_t>(gate.findings.size())) {
    fmt::print("  … and {} more\n", gate.total - static_cast<int64_t>(gate.findings.size()));
  }
  fmt::print(
      "Next    replace a text with --alias REAL=PUBLIC; --alias TEXT=TEXT lets it stand;\n"
      "        texts of the archive's own files are mended there\n");
}

void print_runs(const PublishResult& result, bool dry_run) {
  for (const PublishedRun& run : result.runs) {
    fmt::print("{} {}\n",
               dry_run         ? "Would be"
               : run.was_there ? "Is there"
                               : "Published",
               short_path(run.folder));
    for (const auto& [alias, times] : run.replaced) {
      fmt::print("  {} private {} became '{}'\n", times, times == 1 ? "text" : "texts",
                 printable(alias));
    }
    for (const std::string& reason : run.unreliable) {
      fmt::print("  unreliable: {}\n", printable(reason));
    }
  }
  fmt::print("{} files hold nothing private\n", result.gate.files);
  if (!dry_run) {
    fmt::print("catalogue.json lists {} runs, {} of them without a reservation\n",
               result.catalogue.runs, result.catalogue.reliable);
  }
}

/// What is published stays: `runs rm` refuses it.
Result<void> remember(const Invocation& invocation, const PublishResult& result,
                      const std::string& archive) {
  const auto data_dir = data_dir_of(invocation.spec);
  if (!data_dir) return fail(data_dir.error());
  std::vector<Fact> facts;
  for (const PublishedRun& run : result.runs) {
    facts.emplace_back(Publication{run.run_id, archive, utc_text(wall_now_ns())});
  }
  return add_to_state(*data_dir, facts);
}

}  // namespace

int command_publish(Invocation& invocation) {
  const auto request = request_of(invocation);
  if (!request) return report_failure(request.error());
  const auto result = publish(*request);
  if (!result) return report_failure(result.error());
  const bool refused = result->gate.total > 0;
  if (!refused && !request->dry_run) {
    const auto kept = remember(invocation, *result, short_path(request->archive));
    if (!kept) return report_failure(kept.error());
  }
  if (invocation.spec.json) {
    fmt::print("{}\n", result_json(*result, request->dry_run).dump(2));
  } else if (refused) {
    print_refusal(result->gate);
  } else if (!invocation.spec.quiet) {
    print_runs(*result, request->dry_run);
  }
  return refused ? exit_code::kRefused : exit_code::kDone;
}

}  // namespace assay
