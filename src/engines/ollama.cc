#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "base/text.h"
#include "engines/builtin.h"
#include "engines/json_fields.h"
#include "engines/json_reader.h"
#include "engines/openai.h"
#include "engines/openai_events.h"
#include "net/sleep.h"

namespace assay {
namespace {

namespace od = simdjson::ondemand;
using Body = nlohmann::ordered_json;
using Json = nlohmann::json;
using json_reader::amount;
using json_reader::count;
using json_reader::is;
using json_reader::text_or_empty;

constexpr double kNsPerMs = 1e6;

std::optional<double> milliseconds(od::value value) {
  const auto nanos = amount(value);
  if (!nanos) return std::nullopt;
  return *nanos / kNsPerMs;
}

/// Ollama by its native API, which alone tells load, prefill and decode durations.
class OllamaEngine : public Engine {
 public:
  using Engine::Engine;

  [[nodiscard]] std::string_view kind() const override { return "ollama"; }
  [[nodiscard]] Framing framing() const override { return Framing::kLines; }
  // num_predict is an upper bound only; the prompt asks for a long answer instead.
  [[nodiscard]] bool fixes_length() const override { return false; }
  [[nodiscard]] bool sizes_context() const override { return true; }

  /// The runner's options go with each call, which loads the model anew where they differ. Thinking
  /// is a switch or an effort; of tokens it knows no bound.
  [[nodiscard]] SettingsFit fit(const CallSettings& settings) const override {
    SettingsFit fit = Engine::fit(settings);
    for (const char* name : {"threads", "gpu_layers", "batch_size", "mmap"}) {
      std::erase(fit.missing, name);
    }
    if (settings.think && think_kind(*settings.think) != Think::kTokens) {
      std::erase(fit.missing, "think");
    }
    return fit;
  }

  Task<Result<EngineInfo>> probe(Nanos timeout) override {
    const auto json = co_await get("/api/version", timeout);
    if (!json) co_return fail(json.error());
    if (!json->contains("version") || !(*json)["version"].is_string()) {
      co_return fail(Errc::kProtocol, fmt::format("{} is not Ollama", url().text()));
    }
    EngineInfo info;
    info.version = (*json)["version"].get<std::string>();
    co_return info;
  }

  Task<Result<std::vector<ModelInfo>>> models(Nanos timeout) override {
    const auto tags = co_await get("/api/tags", timeout);
    if (!tags) co_return fail(tags.error());
    const auto running = co_await get("/api/ps", timeout);
    std::vector<ModelInfo> models;
    for (const Json& item : list(*tags)) {
      ModelInfo info = describe(item);
      if (running) {
        for (const Json& loaded : list(*running)) {
          if (text_at(loaded, "name") != info.name) continue;
          info.loaded = true;
          info.memory_bytes = integer_at(loaded, "size");
          info.vram_bytes = integer_at(loaded, "size_vram");
          info.context_length = integer_at(loaded, "context_length");
          info.load.context_length = info.context_length;
        }
      }
      models.push_back(std::move(info));
    }
    co_return models;
  }

  Task<Result<void>> describe(ModelInfo& model, Nanos timeout) override {
    std::string body = dumped(Body{{"model", model.name}});
    const auto shown = co_await fetch_object("POST", "/api/show", std::move(body), timeout);
    if (!shown) co_return fail(shown.error());
    if (shown->contains("capabilities") && (*shown)["capabilities"].is_array()) {
      const auto can = [&](std::string_view ability) {
        const Json& list = (*shown)["capabilities"];
        return std::any_of(list.begin(), list.end(),
                           [&](const Json& item) { return item.is_string() && item == ability; });
      };
      model.vision = can("vision");
      model.tools = can("tools");
    }
    if (!shown->contains("model_info") || !(*shown)["model_info"].is_object())
      co_return Result<void>();
    const Json& info = (*shown)["model_info"];
    const std::string architecture = text_at(info, "general.architecture");
    if (architecture.empty()) co_return Result<void>();
    model.architecture = architecture;
    model.max_context = integer_at(info, (architecture + ".context_length").c_str());
    if (const auto count = integer_at(info, "general.parameter_count")) model.parameters = count;
    co_return Result<void>();
  }

  [[nodiscard]] bool unloads() const override { return true; }

  Task<Result<std::string>> make_cold(std::string model) override {
    constexpr Nanos kTimeout = std::chrono::seconds(30);
    std::string body = dumped(Body{{"model", model}, {"keep_alive", 0}});
    const auto unloaded = co_await fetch_object("POST", "/api/generate", std::move(body), kTimeout);
    if (!unloaded) co_return fail(unloaded.error());
    co_await wait_until_gone(model);
    co_return std::string("unload");
  }

  Task<Result<int64_t>> count_tokens(std::string, std::string) override {
    co_return fail(Errc::kNotFound, "Ollama has no tokenizer endpoint");
  }

  [[nodiscard]] HttpRequest chat_request(const CallRequest& request) const override {
    const CallSettings& s = request.settings;
    Body options = Body::object();
    if (s.max_tokens) options["num_predict"] = *s.max_tokens;
    if (s.context_length) options["num_ctx"] = *s.context_length;
    if (s.temperature) options["temperature"] = *s.temperature;
    if (s.top_p) options["top_p"] = *s.top_p;
    if (s.top_k) options["top_k"] = *s.top_k;
    if (s.seed) options["seed"] = *s.seed;
    if (s.load) {
      if (s.load->threads) options["num_thread"] = *s.load->threads;
      if (s.load->gpu_layers) options["num_gpu"] = *s.load->gpu_layers;
      if (s.load->batch_size) options["num_batch"] = *s.load->batch_size;
      if (s.load->mmap) options["use_mmap"] = *s.load->mmap;
    }
    Body body{{"model", request.model}, {"messages", chat_messages(request)}, {"stream", true}};
    if (s.think) {
      body["think"] =
          think_kind(*s.think) == Think::kSwitch ? Body(*s.think == "on") : Body(*s.think);
    }
    add_tools(request, body);
    if (!options.empty()) body["options"] = options;
    HttpRequest http = post_chat("/api/chat", body);
    http.accept = "application/x-ndjson";
    return http;
  }

  bool decode(std::string_view payload, Delta& delta, size_t& error_at) override {
    delta = Delta();
    const bool valid = json_reader::each_top_member(
        payload, error_at,
        [&](od::raw_json_string key, od::value v) { return read_member(key, v, delta); });
    // Early versions say that they are done and not why.
    if (delta.done && delta.finish_reason.empty()) delta.finish_reason = "stop";
    return valid;
  }

 private:
  static bool read_member(od::raw_json_string key, od::value v, Delta& delta) {
    if (is(key, "message")) {
      delta.has_choice = true;
      return read_chat_message(v, delta);
    }
    if (is(key, "response")) {
      delta.has_choice = true;
      delta.text = text_or_empty(v);
    } else if (is(key, "done")) {
      bool done = false;
      if (!v.get_bool().get(done)) delta.done = done;
    } else if (is(key, "done_reason")) {
      delta.finish_reason = text_or_empty(v);
    } else if (is(key, "error")) {
      delta.has_error = true;
      delta.error = text_or_empty(v);
    } else if (is(key, "prompt_eval_count")) {
      delta.prompt_tokens = count(v, delta.bad_usage);
      delta.engine.prompt_tokens = delta.prompt_tokens;
    } else if (is(key, "eval_count")) {
      delta.engine.output_tokens = count(v, delta.bad_usage);
    } else if (is(key, "load_duration")) {
      delta.engine.load_ms = milliseconds(v);
    } else if (is(key, "prompt_eval_duration")) {
      delta.engine.prefill_ms = milliseconds(v);
    } else if (is(key, "eval_duration")) {
      delta.engine.decode_ms = milliseconds(v);
    } else if (is(key, "total_duration")) {
      delta.engine.total_ms = milliseconds(v);
    }
    return true;
  }

  static std::string dumped(const Body& body) {
    return body.dump(-1, ' ', false, Body::error_handler_t::replace);
  }

  /// The `models` array, empty when there is none.
  static const Json& list(const Json& json) {
    static const Json empty = Json::array();
    return json.contains("models") && json["models"].is_array() ? json["models"] : empty;
  }

  static ModelInfo describe(const Json& item) {
    ModelInfo info;
    info.name = text_at(item, "name");
    info.bytes = integer_at(item, "size");
    info.digest = text_at(item, "digest");
    info.is_remote = item.contains("remote_host") || item.contains("remote_model");
    if (item.contains("details") && item["details"].is_object()) {
      const Json& details = item["details"];
      info.quantization = text_at(details, "quantization_level");
      const std::string family = to_lower(text_at(details, "family"));
      info.is_embedding = family.find("bert") != std::string::npos;
      info.is_projector = family == "clip";
      info.architecture = family;
      if (const auto count = parse_parameters(text_at(details, "parameter_size"))) {
        info.parameters = *count;
      }
    }
    if (to_lower(info.name).find("embed") != std::string::npos) info.is_embedding = true;
    return info;
  }

  /// The answer to an unload comes before the memory is free.
  Task<void> wait_until_gone(std::string model) {
    constexpr Nanos kMost = std::chrono::seconds(30);
    constexpr Nanos kBetween = std::chrono::milliseconds(20);
    const MonoNs deadline = mono_now_ns() + kMost.count();
    for (bool there = true; there && mono_now_ns() < deadline;) {
      const auto running = co_await get("/api/ps", kMost);
      if (!running) co_return;
      there = false;
      for (const Json& loaded : list(*running))
        there |= names_model(text_at(loaded, "name"), model);
      if (there) co_await sleep_for(http().io(), kBetween);
    }
  }

  Task<Result<Json>> get(std::string target, Nanos timeout) {
    co_return co_await fetch_object("GET", std::move(target), std::string(), timeout);
  }
};

}  // namespace

std::unique_ptr<Engine> make_ollama(HttpClient& http, Url url, Secret key) {
  return std::make_unique<OllamaEngine>(http, std::move(url), std::move(key));
}

}  // namespace assay
