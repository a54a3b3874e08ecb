#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "engines/builtin.h"
#include "engines/json_fields.h"
#include "engines/json_reader.h"
#include "engines/lmstudio_models.h"
#include "engines/openai.h"
#include "engines/openai_events.h"

namespace assay {
namespace {

namespace od = simdjson::ondemand;
using Json = nlohmann::json;
using json_reader::amount;
using json_reader::count;
using json_reader::each_member;
using json_reader::is;
using json_reader::is_null;
using json_reader::text_or_empty;

constexpr Nanos kShortTimeout = std::chrono::seconds(30);
constexpr Nanos kLoadTimeout = std::chrono::minutes(10);
constexpr double kMsPerSecond = 1e3;

std::optional<double> milliseconds(od::value seconds) {
  const auto value = amount(seconds);
  return value ? std::optional(*value * kMsPerSecond) : std::nullopt;
}

/// Of the native route, and of /api/v0 under shorter names.
bool read_stats(od::value value, Delta& delta) {
  if (is_null(value)) return true;
  return each_member(value, [&](od::raw_json_string key, od::value v) {
    if (is(key, "input_tokens")) delta.prompt_tokens = count(v, delta.bad_usage);
    if (is(key, "total_output_tokens")) delta.engine.output_tokens = count(v, delta.bad_usage);
    if (is(key, "reasoning_output_tokens")) delta.reasoning_tokens = count(v, delta.bad_usage);
    if (is(key, "tokens_per_second")) delta.engine.decode_tps = amount(v);
    if (is(key, "time_to_first_token_seconds") || is(key, "time_to_first_token")) {
      delta.engine.ttft_ms = milliseconds(v);
    }
    if (is(key, "model_load_time_seconds")) delta.engine.load_ms = milliseconds(v);
    if (is(key, "generation_time")) delta.engine.decode_ms = milliseconds(v);
    return true;
  });
}

/// The texts of a whole native answer: the first message and the first reasoning.
bool read_output(od::value value, Delta& delta) {
  od::array items;
  if (value.get_array().get(items)) return false;
  delta.has_choice = true;
  for (auto entry : items) {
    od::value item;
    if (entry.get(item)) return false;
    std::string_view type;
    std::string_view content;
    const bool fine = each_member(item, [&](od::raw_json_string key, od::value v) {
      if (is(key, "type")) type = text_or_empty(v);
      if (is(key, "content")) content = text_or_empty(v);
      return true;
    });
    if (!fine) return false;
    if (type == "message" && delta.text.empty()) delta.text = content;
    if (type == "reasoning" && delta.reasoning.empty()) delta.reasoning = content;
  }
  return true;
}

/// What a native event's `type` makes of it.
void apply_type(std::string_view type, std::string_view content, Delta& delta) {
  struct Known {
    std::string_view type;
    Stage stage;
  };
  constexpr Known kStages[] = {{"model_load.start", Stage::kLoadStart},
                               {"model_load.end", Stage::kLoadEnd},
                               {"prompt_processing.start", Stage::kPrefillStart},
                               {"prompt_processing.end", Stage::kPrefillEnd}};
  for (const Known& known : kStages) {
    if (known.type == type) delta.stage = known.stage;
  }
  delta.is_step = type == "chat.start" || type.starts_with("model_load.") ||
                  type.starts_with("prompt_processing.");
  if (type == "message.delta" || type == "reasoning.delta") {
    delta.has_choice = true;
    (type == "message.delta" ? delta.text : delta.reasoning) = content;
  }
  if (type == "chat.end") delta.done = delta.untold_finish = true;
}

/// Which of its interfaces a program has.
enum class Rest : uint8_t { kOpenAi, kOlder, kNative };

/// LM Studio by its own REST API, which alone tells of loading and of prompt processing. Version 0,
/// of older programs, has the dialect of OpenAI and some statistics; the oldest ones, and gateways,
/// have that dialect alone.
class LmStudioEngine : public OpenAiEngine {
 public:
  using OpenAiEngine::OpenAiEngine;

  [[nodiscard]] std::string_view kind() const override { return "lmstudio"; }

  /// kNotFound where there is neither of its own interfaces: it can still be asked in OpenAI's.
  Task<Result<EngineInfo>> probe(Nanos timeout) override {
    EngineInfo info;
    const auto native = co_await ask("GET", "/api/v1/models", Json(), timeout);
    const bool silent = !native && (native.error().code == Errc::kUnavailable ||
                                    native.error().code == Errc::kTimeout);
    if (silent) co_return fail(native.error());
    if (native && native->contains("models") && (*native)["models"].is_array()) {
      rest_ = Rest::kNative;
      info.version = "REST API v1";
      info.busy = co_await downloads(timeout);
      co_return info;
    }
    const auto older = co_await ask("GET", "/api/v0/models", Json(), timeout);
    if (!older && older.error().code != Errc::kNotFound) co_return fail(older.error());
    if (!older || !older->contains("data") || !(*older)["data"].is_array()) {
      rest_ = Rest::kOpenAi;
      co_return fail(Errc::kNotFound, fmt::format("{} is not LM Studio", url().text()));
    }
    rest_ = Rest::kOlder;
    info.version = "REST API v0";
    co_return info;
  }

  Task<Result<std::vector<ModelInfo>>> models(Nanos timeout) override {
    if (rest_ == Rest::kOpenAi) co_return co_await OpenAiEngine::models(timeout);
    if (rest_ == Rest::kOlder) co_return co_await list_models("/api/v0/models", timeout);
    const auto listed = co_await ask("GET", "/api/v1/models", Json(), timeout);
    if (!listed) co_return fail(listed.error());
    co_return lm_studio_listed(*listed);
  }

  // No route has a word for the least length of an answer.
  [[nodiscard]] bool fixes_length() const override { return false; }
  [[nodiscard]] bool estimates_tokens() const override { return true; }
  [[nodiscard]] bool unloads() const override { return rest_ == Rest::kNative; }

  [[nodiscard]] SettingsFit fit(const CallSettings& settings) const override {
    return fit_request(CallRequest(std::string(), std::string(), settings));
  }

  /// The native route sizes the context, thinks as asked and knows neither a seed nor tools nor
  /// earlier turns; the other one has it the other way. How a model is loaded goes with its load.
  [[nodiscard]] SettingsFit fit_request(const CallRequest& request) const override {
    const CallSettings& settings = request.settings;
    SettingsFit fit = OpenAiEngine::fit(settings);
    const bool native = rest_ == Rest::kNative && !is_dialogue(request);
    std::erase(fit.missing, "think");
    if (settings.think && (!native || think_kind(*settings.think) == Think::kTokens)) {
      fit.missing.emplace_back("think");
    }
    if (native) {
      std::erase(fit.missing, "context_length");
      if ((settings.context_length || settings.think) && settings.seed) {
        fit.missing.emplace_back("seed");
      }
    }
    if (rest_ != Rest::kNative || !settings.load) return fit;
    std::erase(fit.missing, "batch_size");
    std::erase(fit.missing, "kv_offload");
    if (settings.load->flash_attention != "auto") std::erase(fit.missing, "flash_attention");
    return fit;
  }

  [[nodiscard]] bool loads_as_asked() const override { return rest_ == Rest::kNative; }

  Task<Result<std::string>> make_cold(std::string model) override {
    if (rest_ != Rest::kNative) co_return std::string("process_warm");
    const auto listed = co_await ask("GET", "/api/v1/models", Json(), kShortTimeout);
    if (!listed) co_return fail(listed.error());
    for (const std::string& instance : lm_studio_instances(*listed, model, instances_[model])) {
      Json body{{"instance_id", instance}};
      const auto gone =
          co_await ask("POST", "/api/v1/models/unload", std::move(body), kShortTimeout);
      if (!gone && gone.error().code != Errc::kNotFound) co_return fail(gone.error());
    }
    instances_.erase(model);
    co_return std::string("unload");
  }

  Task<Result<LoadedModel>> load(std::string model, LaunchSettings settings) override {
    Json body{{"model", model}, {"echo_load_config", true}};
    if (settings.context_length) body["context_length"] = *settings.context_length;
    const auto& flash = settings.flash_attention;
    if (flash && *flash != "auto") body["flash_attention"] = *flash == "on";
    if (settings.batch_size) body["eval_batch_size"] = *settings.batch_size;
    if (settings.kv_offload) body["offload_kv_cache_to_gpu"] = *settings.kv_offload;
    LoadedModel loaded;
    auto answer = co_await ask("POST", "/api/v1/models/load", body, kLoadTimeout);
    if (!answer && settings.kv_offload && refuses_offload(answer.error().message)) {
      loaded.refused.emplace_back("kv_offload");
      body.erase("offload_kv_cache_to_gpu");
      answer = co_await ask("POST", "/api/v1/models/load", body, kLoadTimeout);
    }
    if (!answer) co_return fail(answer.error());
    loaded.instance = text_at(*answer, "instance_id");
    if (loaded.instance.empty()) loaded.instance = text_at(*answer, "model_instance_id");
    if (answer->contains("load_time_seconds") && (*answer)["load_time_seconds"].is_number()) {
      loaded.load_ms = (*answer)["load_time_seconds"].get<double>() * kMsPerSecond;
    }
    if (answer->contains("load_config"))
      loaded.effective = lm_studio_load((*answer)["load_config"]);
    if (!loaded.instance.empty()) instances_[model] = loaded.instance;
    co_return loaded;
  }

  [[nodiscard]] HttpRequest chat_request(const CallRequest& request) const override {
    const CallSettings& s = request.settings;
    if (rest_ == Rest::kOlder) return post_chat("/api/v0/chat/completions", chat_body(request));
    if (rest_ == Rest::kOpenAi || is_dialogue(request) || s.seed) {
      return OpenAiEngine::chat_request(request);
    }
    // Not stored: nobody will go on with this chat.
    nlohmann::ordered_json body{
        {"model", request.model}, {"input", request.prompt}, {"stream", true}, {"store", false}};
    if (s.max_tokens) body["max_output_tokens"] = *s.max_tokens;
    if (s.temperature) body["temperature"] = *s.temperature;
    if (s.top_p) body["top_p"] = *s.top_p;
    if (s.top_k) body["top_k"] = *s.top_k;
    if (s.context_length) body["context_length"] = *s.context_length;
    if (s.think) body["reasoning"] = *s.think;
    return post_chat("/api/v1/chat", body);
  }

  [[nodiscard]] bool says_unloaded(std::string_view error) const override {
    return to_lower(error).find("model unloaded") != std::string::npos;
  }

  bool decode(std::string_view payload, Delta& delta, size_t& error_at) override {
    delta = Delta();
    if (trim(payload) == "[DONE]") {
      delta.done = true;
      return true;
    }
    std::string_view type;
    std::string_view content;
    const bool valid =
        json_reader::each_top_member(payload, error_at, [&](od::raw_json_string key, od::value v) {
          if (is(key, "type")) type = text_or_empty(v);
          if (is(key, "content")) content = text_or_empty(v);
          if (is(key, "load_time_seconds")) delta.engine.load_ms = milliseconds(v);
          if (is(key, "stats")) return read_stats(v, delta);
          if (is(key, "result")) return read_result(v, delta);
          if (is(key, "output")) return read_answer(v, delta);
          return read_openai_member(key, v, delta);
        });
    apply_type(type, content, delta);
    return valid;
  }

 private:
  /// The texts of `chat.end` were streamed before it: its numbers alone are new.
  static bool read_result(od::value value, Delta& delta) {
    return each_member(value, [&](od::raw_json_string key, od::value v) {
      return is(key, "stats") ? read_stats(v, delta) : true;
    });
  }

  /// A whole answer that was not streamed.
  static bool read_answer(od::value value, Delta& delta) {
    delta.done = delta.untold_finish = true;
    return read_output(value, delta);
  }

  /// Its native route takes a prompt alone.
  static bool is_dialogue(const CallRequest& request) {
    return !request.tools.empty() || !request.earlier.empty();
  }

  /// The documented refusal of an embedding model, and no other.
  static bool refuses_offload(std::string_view error) {
    const std::string lower = to_lower(error);
    return lower.find("answered 400") != std::string::npos &&
           lower.find("embedding model") != std::string::npos &&
           lower.find("offload_kv_cache_to_gpu") != std::string::npos &&
           lower.find("not supported") != std::string::npos;
  }

  /// Downloads under way, in words; empty when there are none or nothing is known.
  Task<std::string> downloads(Nanos timeout) {
    const auto status = co_await ask("GET", "/api/v1/models/download/status", Json(), timeout);
    if (!status) co_return std::string();
    const size_t under_way = json_list(*status, "downloading").size();
    if (under_way == 0) co_return std::string();
    co_return fmt::format("it downloads {} model{}", under_way, under_way == 1 ? "" : "s");
  }

  Task<Result<Json>> ask(std::string method, std::string target, Json body, Nanos timeout) {
    std::string text;
    if (!body.is_null()) text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    co_return co_await fetch_object(std::move(method), std::move(target), std::move(text), timeout);
  }

  Rest rest_ = Rest::kNative;                     // Known after probe().
  std::map<std::string, std::string> instances_;  // By the model that was to be loaded.
};

}  // namespace

std::unique_ptr<Engine> make_lmstudio(HttpClient& http, Url url, Secret key) {
  return std::make_unique<LmStudioEngine>(http, std::move(url), std::move(key));
}

}  // namespace assay
