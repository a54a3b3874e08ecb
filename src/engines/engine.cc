#include "engines/engine.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "model/document_fields.h"

namespace assay {
namespace {

/// The names of the settings that are there.
std::vector<std::string> names_of(const LaunchSettings& settings) {
  std::vector<std::string> names;
  visit_members(settings, [&](std::string_view name, const auto& member) {
    if constexpr (requires { member.has_value(); }) {
      if (member) names.emplace_back(name);
    }
  });
  return names;
}

}  // namespace

Task<Result<std::string>> Engine::fetch_json(HttpRequest request, Nanos timeout) {
  auto answer = co_await http_.fetch(url_, request, key_, timeout);
  if (!answer) co_return fail(std::move(answer.error()));
  const int status = answer->first.status;
  if (status >= 200 && status < 300) co_return std::move(answer->second);
  const Errc code = status == 404 || status == 405 ? Errc::kNotFound : Errc::kProtocol;
  co_return fail(code, fmt::format("{}{} answered {}: {}", url_.text(), request.target, status,
                                   printable(key_.redact(answer->second), 400)));
}

Task<Result<nlohmann::json>> Engine::fetch_object(std::string method, std::string target,
                                                  std::string body, Nanos timeout) {
  using Json = nlohmann::json;
  HttpRequest request;
  request.method = std::move(method);
  request.target = target;
  request.body = std::move(body);
  const auto text = co_await fetch_json(std::move(request), timeout);
  if (!text) co_return fail(text.error());
  Json json = text->empty() ? Json::object() : Json::parse(*text, nullptr, false);
  if (!json.is_object()) {
    co_return fail(Errc::kProtocol, fmt::format("{}{} is no JSON object", url_.text(), target));
  }
  co_return json;
}

Result<const EngineEntry*> find_engine(std::string_view kind) {
  std::vector<std::string> names;
  for (const EngineEntry& entry : engine_table()) {
    if (entry.name == kind) return &entry;
    names.emplace_back(entry.name);
  }
  const std::string near = did_you_mean(kind, names);
  return fail(Errc::kInvalidArgument, fmt::format("unknown engine kind '{}'", printable(kind)),
              near.empty() ? fmt::format("kinds are {}", join(names, ", "))
                           : fmt::format("did you mean {}?", near));
}

bool names_model(std::string_view listed, std::string_view asked) {
  if (!listed.starts_with(asked)) return false;
  const std::string_view rest = listed.substr(asked.size());
  return rest.empty() || rest == ":latest" ||
         (rest.front() == '@' && asked.find('@') == std::string_view::npos);
}

Task<Result<void>> Engine::describe(ModelInfo& /*model*/, Nanos /*timeout*/) {
  co_return Result<void>();
}

Task<Result<ServerCounters>> Engine::counters(std::string, Nanos) {
  co_return fail(Errc::kNotFound, "this engine does not count");
}

Task<Result<LoadedModel>> Engine::load(std::string, LaunchSettings) {
  co_return fail(Errc::kNotFound, "this engine has no request that loads a model");
}

SettingsFit Engine::fit(const CallSettings& settings) const {
  SettingsFit fit;
  if (settings.context_length && !sizes_context()) fit.missing.emplace_back("context_length");
  if (settings.cache_prompt) fit.missing.emplace_back("cache_prompt");
  if (settings.think) fit.missing.emplace_back("think");
  if (settings.load) {
    for (std::string& name : names_of(*settings.load)) fit.missing.push_back(std::move(name));
  }
  if (settings.fixed_length && !fixes_length()) fit.not_sent.emplace_back("fixed_length");
  fit.sizes_context = sizes_context();
  fit.keeps_length = keeps_length();
  return fit;
}

SettingsFit Engine::fit_request(const CallRequest& request) const { return fit(request.settings); }

bool Engine::says_unloaded(std::string_view) const { return false; }

}  // namespace assay
