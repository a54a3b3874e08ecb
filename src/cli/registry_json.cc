#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/registry_view.h"
#include "registry/eligibility.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json memory_json(const RegistryView& view, const RegisteredModel& model) {
  const auto need = memory_need(model, view.context_length);
  if (!need) return nullptr;
  const MemoryPool* pool = fitting_pool(*need, view.pools);
  return {{"context_length", need->context_length},
          {"weights_bytes", need->weights},
          {"cache_bytes", or_null(need->cache)},
          {"compute_bytes", need->compute},
          {"total_bytes", need->total()},
          {"fits", view.pools.empty() ? Json(nullptr) : Json(pool != nullptr)},
          {"fits_into", pool != nullptr ? Json(pool->name) : Json(nullptr)}};
}

void add_header(const GgufInfo& header, Json& json) {
  json["architecture"] = text_or_null(header.architecture);
  json["title"] = text_or_null(header.name);
  json["quantization"] = text_or_null(header.quantisation);
  json["parameters"] = header.parameters;
  json["tensors"] = header.tensors;
  json["tensor_values"] = header.matrix_values;
  json["context_length"] = or_null(header.context_length);
  json["chat_template"] = header.chat_template;
  json["random_weights"] = header.random_weights;
}

}  // namespace

Json registered_model_json(const RegistryView& view, size_t index) {
  const RegisteredModel& model = view.scan.models[index];
  Json files = Json::array();
  for (const auto& file : model.listed.files) files.push_back(file.string());
  Json json{{"fingerprint", model.fingerprint},
            {"name", model.listed.name},
            {"place", model.listed.place},
            {"root", model.listed.root.string()},
            {"path", model.listed.path},
            {"files", std::move(files)},
            {"missing_files", model.listed.missing},
            {"state", to_text(model.state)},
            {"reason", text_or_null(model.reason)},
            {"kind", model.header ? Json(to_text(model.kind)) : Json(nullptr)},
            {"bytes", model.bytes},
            {"digest", or_null(model.digest)},
            {"same_weights", text_or_null(group_mark(view, index))},
            {"projector",
             model.listed.projector ? Json(model.listed.projector->string()) : Json(nullptr)}};
  if (model.header) add_header(*model.header, json);
  json["memory"] = memory_json(view, model);
  json["present"] = model.present;
  json["enabled"] = model.enabled;
  json["benchmark"] = model.benchmark;
  json["eligible"] = is_eligible(model);
  json["why_not"] = why_not_eligible(model);
  return json;
}

Json registry_json(const RegistryView& view) {
  Json roots = Json::array();
  for (const ScannedRoot& root : view.scan.roots) {
    roots.push_back(
        {{"place", root.place}, {"path", root.path.string()}, {"problems", root.problems}});
  }
  Json models = Json::array();
  for (size_t i = 0; i < view.scan.models.size(); ++i) {
    models.push_back(registered_model_json(view, i));
  }
  Json groups = Json::array();
  for (size_t i = 0; i < view.groups.size(); ++i) {
    Json members = Json::array();
    for (const size_t model : view.groups[i].models) {
      members.push_back(view.scan.models[model].fingerprint);
    }
    groups.push_back({{"mark", "=" + std::to_string(i + 1)},
                      {"digest", view.groups[i].digest},
                      {"models", std::move(members)}});
  }
  Json pools = Json::array();
  for (const MemoryPool& pool : view.pools) {
    pools.push_back({{"name", pool.name}, {"free_bytes", pool.free_bytes}});
  }
  return {{"schema", "assay.registry/1"},
          {"roots", std::move(roots)},
          {"memory", std::move(pools)},
          {"models", std::move(models)},
          {"same_weights", std::move(groups)}};
}

}  // namespace assay
