#include "engines/llamacpp_facts.h"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "engines/json_fields.h"

namespace assay {
namespace {

using Json = nlohmann::json;

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<std::string> named_text(const Json& json, const char* key) {
  std::string text = text_at(json, key);
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

/// The bundled engine tells how it loaded its model.
void add_told_load(const Json& props, LaunchSettings& load) {
  const auto told = props.find("load");
  if (told == props.end() || !told->is_object()) return;
  load.flash_attention = named_text(*told, "flash_attention");
  load.cache_type_k = named_text(*told, "cache_type_k");
  load.cache_type_v = named_text(*told, "cache_type_v");
  load.batch_size = integer_at(*told, "batch_size");
  load.gpu_layers = integer_at(*told, "gpu_layers");
}

}  // namespace

std::string quantization_name(std::string_view ftype) {
  if (ftype.starts_with("all ")) ftype.remove_prefix(4);
  for (const std::string_view beside : {" (guessed)", " bpw"}) {
    if (ftype.ends_with(beside)) ftype.remove_suffix(beside.size());
  }
  const size_t dash = ftype.find(" - ");
  if (dash == std::string_view::npos) return std::string(ftype);
  const std::string_view size = ftype.substr(dash + 3);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kSizes{
      {{"Small", "_S"}, {"Medium", "_M"}, {"Large", "_L"}, {"Extra Large", "_XL"}}};
  std::string name(ftype.substr(0, dash));
  for (const auto& [word, letter] : kSizes) {
    if (size == word) name += letter;
  }
  return name;
}

void add_props(const Json& props, ModelInfo& model) {
  if (const auto settings = props.find("default_generation_settings"); settings != props.end()) {
    model.context_length = integer_at(*settings, "n_ctx");
  }
  if (std::string name = quantization_name(text_at(props, "model_ftype")); !name.empty()) {
    model.quantization = std::move(name);
  }
  if (std::string file = text_at(props, "model_path"); !file.empty()) model.file = std::move(file);
  if (props.contains("modalities")) model.vision = flag_at(props["modalities"], "vision");
  if (props.contains("chat_template_caps")) {
    model.tools = flag_at(props["chat_template_caps"], "supports_tools");
  }
  model.load.parallel = integer_at(props, "total_slots");
  add_told_load(props, model.load);
}

ModelInfo llama_server_listed(const Json& item) {
  ModelInfo info;
  info.name = text_at(item, "id");
  const std::string lower = to_lower(info.name);
  info.is_embedding = lower.find("embed") != std::string::npos;
  info.is_projector = lower.find("mmproj") != std::string::npos;
  info.max_context = integer_at(item, "context_length");  // Of a router: as it was trained.
  if (item.contains("architecture")) {
    info.vision = holds_at(item["architecture"], "input_modalities", "image");
  }
  if (item.contains("meta") && item["meta"].is_object()) {
    const Json& meta = item["meta"];
    info.bytes = integer_at(meta, "size");
    info.parameters = integer_at(meta, "n_params");
    if (const auto trained = integer_at(meta, "n_ctx_train")) info.max_context = trained;
    info.quantization = quantization_name(text_at(meta, "ftype"));
  }
  if (!item.contains("status") || !item["status"].is_object()) return info;
  const Json& status = item["status"];
  info.loaded = text_at(status, "value") == "loaded";
  if (!status.contains("args") || !status["args"].is_array()) return info;
  const Json& arguments = status["args"];
  if (info.loaded) info.load = arguments_load(arguments);
  for (size_t i = 0; i + 1 < arguments.size(); ++i) {
    if (arguments[i] == "--model" && arguments[i + 1].is_string()) {
      info.file = arguments[i + 1].get<std::string>();
    }
  }
  return info;
}

LaunchSettings arguments_load(const Json& arguments) {
  LaunchSettings load;
  if (!arguments.is_array()) return load;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!arguments[i].is_string()) continue;
    const std::string& name = arguments[i].get_ref<const std::string&>();
    if (name == "--mlock") load.mlock = true;
    if (name == "--mmap" || name == "--no-mmap") load.mmap = name == "--mmap";
    if (name == "--kv-offload" || name == "--no-kv-offload")
      load.kv_offload = name == "--kv-offload";
    if (i + 1 == arguments.size() || !arguments[i + 1].is_string()) continue;
    const std::string& value = arguments[i + 1].get_ref<const std::string&>();
    if (name == "--threads") load.threads = whole_number(value);
    if (name == "--n-gpu-layers") load.gpu_layers = whole_number(value);
    if (name == "--batch-size") load.batch_size = whole_number(value);
    if (name == "--ubatch-size") load.ubatch_size = whole_number(value);
    if (name == "--flash-attn") load.flash_attention = value;
    if (name == "--cache-type-k") load.cache_type_k = value;
    if (name == "--cache-type-v") load.cache_type_v = value;
  }
  return load;
}

}  // namespace assay
