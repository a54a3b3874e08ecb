#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/show_run.h"
#include "run/session.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json model_json(const ModelInfo& model) {
  return {{"name", model.name},
          {"loaded", model.loaded},
          {"embedding", model.is_embedding},
          {"projector", model.is_projector},
          {"remote", model.is_remote},
          {"bytes", or_null(model.bytes)},
          {"context_length", or_null(model.context_length)},
          {"quantization", model.quantization},
          {"digest", model.digest}};
}

Json target_json(const TargetAnswer& target) {
  Json models = Json::array();
  for (const ModelInfo& model : target.models) models.push_back(model_json(model));
  return {{"url", target.url},
          {"kind", target.kind.empty() ? Json(nullptr) : Json(target.kind)},
          {"up", !target.kind.empty()},
          {"version", target.version},
          {"probe_ms", target.took_ms},
          {"error", target.error.empty() ? Json(nullptr) : Json(target.error)},
          {"models", models}};
}

/// Flags that commands without the run's options share with it.
void take_target_flags(Invocation& invocation) {
  invocation.spec.engine = invocation.value("engine", invocation.spec.engine);
  invocation.spec.api_key_file = invocation.value("api-key-file", invocation.spec.api_key_file);
  if (const auto named = invocation.flags.find("target"); named != invocation.flags.end()) {
    invocation.spec.targets = named->second;
  }
}

int show_targets(const Invocation& invocation, const std::vector<TargetAnswer>& answers) {
  bool any = false;
  Json list = Json::array();
  for (const TargetAnswer& target : answers) {
    any = any || !target.kind.empty();
    list.push_back(target_json(target));
    if (invocation.spec.json) continue;
    if (target.kind.empty()) {
      fmt::print("{:<10} {:<28} down   {}\n", "-", target.url, printable(target.error, 120));
    } else {
      fmt::print("{:<10} {:<28} up     {:<10} {} model{}  {:.0f} ms\n", target.kind, target.url,
                 printable(target.version.empty() ? "-" : target.version, 40), target.models.size(),
                 target.models.size() == 1 ? " " : "s", target.took_ms);
    }
  }
  if (invocation.spec.json) {
    fmt::print("{}\n", Json{{"schema", "assay.targets/1"}, {"targets", list}}.dump(
                           2, ' ', false, Json::error_handler_t::replace));
  } else if (answers.empty()) {
    fmt::print(stderr,
               "no engine answers on ports 11434, 8080, 1234 and 8000 of this machine\n"
               "  hint: 'assay run' then measures the bundled engine\n");
  }
  return any ? exit_code::kDone : exit_code::kUnreachable;
}

}  // namespace

int command_targets_list(Invocation& invocation) {
  Session session;
  const auto answers = probe_targets(session, invocation.spec);
  if (!answers) return report_failure(answers.error());
  return show_targets(invocation, *answers);
}

int command_targets_probe(Invocation& invocation) {
  take_target_flags(invocation);
  if (const auto urls = invocation.arguments.find("URL"); !urls->second.empty()) {
    invocation.spec.targets = urls->second;
  }
  return command_targets_list(invocation);
}

int command_models_list(Invocation& invocation) {
  take_target_flags(invocation);
  Session session;
  const auto answers = probe_targets(session, invocation.spec);
  if (!answers) return report_failure(answers.error());
  if (invocation.spec.json) return show_targets(invocation, *answers);
  bool any = false;
  for (const TargetAnswer& target : *answers) {
    if (target.kind.empty()) {
      print_error(Error(Errc::kUnavailable, fmt::format("{}: {}", target.url, target.error)));
    }
    for (const ModelInfo& model : target.models) {
      any = true;
      const std::string_view what = model.is_embedding   ? "embedding"
                                    : model.is_projector ? "projector"
                                    : model.is_remote    ? "remote"
                                    : model.loaded       ? "loaded"
                                                         : "";
      fmt::print("{:<28} {:<7} {:>8}  {:<9} {}\n", printable(model.name, 60),
                 printable(model.quantization, 8), model.bytes ? bytes_text(*model.bytes) : "-",
                 what, target.url);
    }
  }
  return any ? exit_code::kDone : exit_code::kUnreachable;
}

}  // namespace assay
