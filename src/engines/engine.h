#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "engines/delta.h"
#include "engines/tags.h"
#include "model/run.h"
#include "net/http_client.h"

namespace assay {

/// A model that an engine offers.
struct ModelInfo {
  std::string name;
  bool loaded = false;
  bool is_embedding = false;
  bool is_projector = false;
  bool is_remote = false;  ///< Runs elsewhere: the engine only passes calls on.
  std::optional<int64_t> bytes;
  std::optional<int64_t> memory_bytes;    ///< Of a loaded model.
  std::optional<int64_t> vram_bytes;      ///< The part of it that is on a GPU.
  std::optional<int64_t> context_length;  ///< That calls get now.
  std::string quantization;
  std::string digest;
  // What it is. Empty or absent: the engine does not say.
  std::string architecture;  ///< GGUF's `general.architecture`, such as `qwen3`.
  std::optional<int64_t> parameters;
  std::optional<int64_t> max_context;  ///< Tokens that it was trained for.
  std::string file;                    ///< Its path on the engine's machine.
  std::optional<bool> vision;          ///< Takes images.
  std::optional<bool> tools;           ///< Was trained to call tools.
  LaunchSettings load;                 ///< How it is loaded now, as far as the engine tells.
};

/// What answered at an address.
struct EngineInfo {
  std::string version;  ///< Empty when the engine does not tell.
  std::optional<int64_t> threads;
  std::optional<int64_t> slots;  ///< Calls that it works on at once; more of them queue.
  std::string busy;              ///< What it does beside our calls, such as a download; else empty.
  LaunchSettings load;           ///< How it loaded its model, as far as it tells.
};

/// A message of the dialogue before the prompt.
struct ChatMessage {
  std::string role;  ///< `system`, `user`, `assistant` or `tool`.
  std::string content;
};

/// One prompt to be answered. A class with a constructor: see docs/decisions.md, "Coroutines".
class CallRequest {
 public:
  CallRequest(std::string model_name, std::string prompt_text, CallSettings call_settings)
      : model(std::move(model_name)),
        prompt(std::move(prompt_text)),
        settings(std::move(call_settings)) {}

  std::string model;
  std::string prompt;
  CallSettings settings;
  std::vector<ChatMessage> earlier;  ///< Comes before the prompt.
  std::string tools;                 ///< A JSON list in OpenAI's form, or empty.
  /// Tokens that the prompt has by calibration; a clearly lower reported count means truncation.
  std::optional<int64_t> expected_prompt_tokens;
  std::optional<CallTags> tags;  ///< Absent: the call does not say that it is a test.
  bool want_stamps = false;      ///< Ask the mock server for its own send times.
};

/// How a streamed answer is cut into events.
enum class Framing : uint8_t { kSse, kLines };

/// How an engine can be asked for settings. The names are those of the ledger's `settings`.
struct SettingsFit {
  std::vector<std::string> missing = {};   ///< It has no way: the calls are not made.
  std::vector<std::string> not_sent = {};  ///< It has no word: the prompt asks instead.
  bool sizes_context = false;              ///< Engine::sizes_context
  bool keeps_length = false;               ///< Engine::keeps_length
};

/// A model that was loaded on request.
struct LoadedModel {
  std::string instance;              ///< The engine's name for it, by which it unloads it.
  std::optional<double> load_ms;     ///< As the engine says.
  std::vector<std::string> refused;  ///< Settings that it was loaded without.
  LaunchSettings effective;          ///< How it was loaded, as far as the engine says.
};

/// Body members that some servers refuse; a refusal that names one drops it and is retried once.
struct Optional400 {
  bool stream_options = true;
  bool ignore_eos = true;
  bool min_tokens = true;
  bool metadata = true;
  bool labels = true;
};

/// Whether calls to `asked` reach the model that is listed as `listed`: tags and quantizations may
/// be left out, `llama3` for `llama3:latest` and `qwen3` for `qwen3@q4_k_m`.
bool names_model(std::string_view listed, std::string_view asked);

/// A server that runs models, in its own dialect. Lives on the load thread: tasks suspend, never
/// block. Not thread-safe.
class Engine {
 public:
  Engine(HttpClient& http, Url url, Secret key)
      : http_(http), url_(std::move(url)), key_(std::move(key)) {}
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// The name in the engine table.
  [[nodiscard]] virtual std::string_view kind() const = 0;
  /// kUnavailable when nothing answers within `timeout`, kProtocol when what answers is another
  /// kind of server.
  virtual Task<Result<EngineInfo>> probe(Nanos timeout) = 0;
  virtual Task<Result<std::vector<ModelInfo>>> models(Nanos timeout) = 0;
  /// Adds to a listed model, which outlives the task, what the list does not tell. Nothing where
  /// the engine tells no more. kProtocol, kTimeout.
  virtual Task<Result<void>> describe(ModelInfo& model, Nanos timeout);
  /// Makes the next call to `model` a cold one, as far as this engine can, and comes back when the
  /// model is gone. Returns the record's cold_kind: `unload`, `sleep` where the weights go to main
  /// memory, or `process_warm` where the engine keeps its model.
  virtual Task<Result<std::string>> make_cold(std::string model) = 0;
  /// Whether make_cold takes the model away.
  [[nodiscard]] virtual bool unloads() const { return false; }
  /// Whether it leaves the server's other models alone.
  [[nodiscard]] virtual bool unloads_one() const { return unloads(); }
  /// Whether a call to a model that make_cold took away loads it. Otherwise load() has to.
  [[nodiscard]] virtual bool loads_in_call() const { return true; }
  /// Loads `model` and comes back when it is ready. Of `settings` it heeds what it can be asked for
  /// with a load. kNotFound where there is no such request.
  virtual Task<Result<LoadedModel>> load(std::string model, LaunchSettings settings);
  /// Tokens of `text` by the engine's own tokenizer. kNotFound where it has no such endpoint.
  virtual Task<Result<int64_t>> count_tokens(std::string model, std::string text) = 0;
  /// What the server has counted so far, of all its clients; where it counts each model by itself,
  /// of `model`. kNotFound where it does not count.
  virtual Task<Result<ServerCounters>> counters(std::string model, Nanos timeout);
  [[nodiscard]] virtual bool counts_each_model() const { return false; }
  /// The request for one streamed chat answer.
  [[nodiscard]] virtual HttpRequest chat_request(const CallRequest& request) const = 0;
  /// How these settings can be asked for, those of CallSettings::load by their own names.
  [[nodiscard]] virtual SettingsFit fit(const CallSettings& settings) const;
  /// The same for a whole request: what it brings along, and its model, may leave fewer ways.
  [[nodiscard]] virtual SettingsFit fit_request(const CallRequest& request) const;
  /// Whether an answer of exactly max_tokens can be asked for.
  [[nodiscard]] virtual bool fixes_length() const = 0;
  /// Whether it is known to go on to that length; elsewhere the prompt asks for it too.
  [[nodiscard]] virtual bool keeps_length() const { return false; }
  /// Whether the context is sized per call by CallSettings::context_length.
  [[nodiscard]] virtual bool sizes_context() const { return false; }
  /// Whether load() heeds its settings: a model is then loaded as a leg asks before its calls.
  [[nodiscard]] virtual bool loads_as_asked() const { return false; }
  /// Whether models come and go, so that what models() tells of one is worth asking after a load.
  [[nodiscard]] virtual bool tells_loads() const { return unloads(); }
  /// Whether the server is known to stream one token an event and to leave out the counts: events
  /// then stand for tokens, marked as an estimate.
  [[nodiscard]] virtual bool estimates_tokens() const { return false; }
  /// Whether an error says that the model was unloaded meanwhile: the call is worth one more
  /// attempt, which loads it.
  [[nodiscard]] virtual bool says_unloaded(std::string_view error) const;
  [[nodiscard]] virtual Framing framing() const = 0;
  /// Reads one event's payload, or a whole unstreamed answer. False when it is no valid JSON;
  /// `error_at` then is the byte where reading stopped.
  virtual bool decode(std::string_view payload, Delta& delta, size_t& error_at) = 0;

  [[nodiscard]] HttpClient& http() { return http_; }
  [[nodiscard]] const Url& url() const { return url_; }
  [[nodiscard]] const Secret& key() const { return key_; }
  /// What this server was found to refuse; shared by all later calls.
  Optional400 accepts;

 protected:
  /// GET or POST of a small JSON document; non-2xx is kProtocol, 404 kNotFound.
  Task<Result<std::string>> fetch_json(HttpRequest request, Nanos timeout);
  /// The JSON object that is answered; an empty answer is an empty one. kProtocol for anything
  /// else. `body` may be empty.
  Task<Result<nlohmann::json>> fetch_object(std::string method, std::string target,
                                            std::string body, Nanos timeout);

 private:
  HttpClient& http_;
  Url url_;
  Secret key_;
};

/// One line of the engine table.
struct EngineEntry {
  std::string_view name;
  std::string_view summary;
  uint16_t default_port;  ///< Where it is looked for.
  std::unique_ptr<Engine> (*make)(HttpClient& http, Url url, Secret key);
};

/// Every engine kind, in the order in which an unknown server is tried.
const std::vector<EngineEntry>& engine_table();
/// kInvalidArgument with a suggestion for an unknown kind.
Result<const EngineEntry*> find_engine(std::string_view kind);

}  // namespace assay
