#include "engines/lmstudio_models.h"

#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "engines/json_fields.h"

namespace assay {
namespace {

using Json = nlohmann::json;

void describe(const Json& item, std::vector<ModelInfo>& models) {
  if (!item.is_object()) return;
  ModelInfo info;
  info.name = text_at(item, "key");
  info.is_embedding = text_at(item, "type") == "embedding";
  info.bytes = integer_at(item, "size_bytes");
  if (item.contains("quantization")) info.quantization = text_at(item["quantization"], "name");
  info.architecture = text_at(item, "architecture");
  if (const auto count = parse_parameters(text_at(item, "params_string"))) info.parameters = *count;
  info.max_context = integer_at(item, "max_context_length");
  if (item.contains("capabilities") && item["capabilities"].is_object()) {
    info.vision = flag_at(item["capabilities"], "vision").value_or(false);
    info.tools = flag_at(item["capabilities"], "trained_for_tool_use").value_or(false);
  }
  const Json& instances = json_list(item, "loaded_instances");
  info.loaded = !instances.empty();
  if (info.loaded && instances.front().is_object() && instances.front().contains("config")) {
    info.load = lm_studio_load(instances.front()["config"]);
    info.context_length = info.load.context_length;
  }
  const Json& variants = json_list(item, "variants");
  const std::string selected = text_at(item, "selected_variant");
  if (variants.size() < 2) {
    models.push_back(std::move(info));
    return;
  }
  for (const Json& variant : variants) {
    if (!variant.is_string()) continue;
    ModelInfo one = info;
    one.name = variant.get<std::string>();
    if (one.name != selected) {  // Size and state are told of that one alone.
      one.bytes.reset();
      one.context_length.reset();
      one.load = LaunchSettings();
      one.loaded = false;
      const size_t at = one.name.rfind('@');
      one.quantization = at == std::string::npos ? std::string() : one.name.substr(at + 1);
    }
    models.push_back(std::move(one));
  }
}

}  // namespace

const Json& json_list(const Json& json, const char* key) {
  static const Json empty = Json::array();
  return json.contains(key) && json[key].is_array() ? json[key] : empty;
}

std::vector<ModelInfo> lm_studio_listed(const Json& answer) {
  std::vector<ModelInfo> models;
  for (const Json& item : json_list(answer, "models")) describe(item, models);
  return models;
}

LaunchSettings lm_studio_load(const Json& config) {
  LaunchSettings load;
  load.context_length = integer_at(config, "context_length");
  load.batch_size = integer_at(config, "eval_batch_size");
  load.parallel = integer_at(config, "parallel");
  load.kv_offload = flag_at(config, "offload_kv_cache_to_gpu");
  if (const auto flash = flag_at(config, "flash_attention")) {
    load.flash_attention = *flash ? "on" : "off";
  }
  return load;
}

std::vector<std::string> lm_studio_instances(const Json& answer, const std::string& model,
                                             const std::string& known) {
  std::vector<std::string> found;
  for (const Json& item : json_list(answer, "models")) {
    const bool is_whole =
        text_at(item, "key") == model || text_at(item, "selected_variant") == model;
    for (const Json& instance : json_list(item, "loaded_instances")) {
      std::string id = text_at(instance, "id");
      const bool is_ours = !known.empty() && known == id;
      const bool other_variant = id.find('@') != std::string::npos && id != model;
      if (is_ours || id == model || (is_whole && !other_variant)) found.push_back(std::move(id));
    }
  }
  return found;
}

}  // namespace assay
