// What the record says was asked is what went over the wire, for every adapter.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "engines/call.h"
#include "model/document_fields.h"
#include "run/session.h"
#include "run/wait_for.h"
#include "support/mock_calls.h"

namespace assay::test {
namespace {

struct Dialect {
  std::string kind;
  Flavor flavor;
  std::string endpoint;
  /// Where a setting stands in the body, by its name in the ledger. fixed_length is its own case.
  std::map<std::string, std::string> places;
};

const std::map<std::string, std::string> kOpenAiPlaces{{"max_tokens", "/max_tokens"},
                                                       {"temperature", "/temperature"},
                                                       {"top_p", "/top_p"},
                                                       {"top_k", "/top_k"},
                                                       {"seed", "/seed"},
                                                       {"fixed_length", "/ignore_eos"},
                                                       {"think", "/reasoning_effort"}};

std::map<std::string, std::string> with(std::map<std::string, std::string> places,
                                        const std::string& name, const std::string& place) {
  places[name] = place;
  return places;
}

std::vector<Dialect> dialects() {
  const std::string chat = "/v1/chat/completions";
  auto llama = with(kOpenAiPlaces, "cache_prompt", "/cache_prompt");
  // Its template alone knows efforts; the mock's has no word for them, a router tells of none.
  llama.erase("think");
  const auto router = with(llama, "think", "/chat_template_kwargs/reasoning_effort");
  auto without_length = kOpenAiPlaces;
  without_length.erase("fixed_length");
  without_length.erase("think");
  return {{"openai", Flavor::kAll, chat, kOpenAiPlaces},
          {"vllm", Flavor::kVllm, chat, kOpenAiPlaces},
          {"llamacpp", Flavor::kLlamaCpp, chat, llama},
          {"llamacpp", Flavor::kRouter, chat, router},
          {"lmstudio", Flavor::kLmStudioV0, "/api/v0/chat/completions", without_length},
          {"lmstudio",
           Flavor::kLmStudio,
           "/api/v1/chat",
           {{"max_tokens", "/max_output_tokens"},
            {"temperature", "/temperature"},
            {"top_p", "/top_p"},
            {"top_k", "/top_k"},
            {"context_length", "/context_length"},
            {"think", "/reasoning"}}},
          {"ollama",
           Flavor::kOllama,
           "/api/chat",
           {{"max_tokens", "/options/num_predict"},
            {"temperature", "/options/temperature"},
            {"top_p", "/options/top_p"},
            {"top_k", "/options/top_k"},
            {"seed", "/options/seed"},
            {"context_length", "/options/num_ctx"},
            {"think", "/think"}}}};
}

/// Every setting with a value that no default has.
CallSettings everything() {
  CallSettings s;
  s.max_tokens = 7;
  s.fixed_length = true;
  s.temperature = 0.25;
  s.top_p = 0.5;
  s.top_k = 3;
  s.seed = 11;
  s.context_length = 4321;
  s.cache_prompt = false;
  s.think = "high";
  return s;
}

Task<int> done(Task<void> call) {
  co_await std::move(call);
  co_return 0;
}

/// The bodies that the server saw at a path.
std::vector<Json> bodies_at(const MockServer& server, const std::string& path) {
  std::vector<Json> bodies;
  for (const Json& seen : get(server, "/requests")) {
    if (seen["target"] == path) {
      bodies.push_back(Json::parse(seen["body"].get<std::string>(), nullptr, false));
    }
  }
  return bodies;
}

class Wire {
 public:
  Wire(const std::string& kind, Flavor flavor, std::vector<std::string> models = {"m"}) {
    MockOptions options = quick_options();
    options.flavor = flavor;
    options.models = std::move(models);
    server = start_mock(options);
    engine =
        find_engine(kind).value()->make(session.http, *parse_url(server->base_url()), Secret());
    const auto probed = session.wait_for(engine->probe(std::chrono::seconds(5)));
    EXPECT_TRUE(probed) << kind << ": " << (probed ? "" : probed.error().message);
  }

  CallResult call(const CallRequest& request) {
    CallResult result;
    CallWatch watch(session.io, Limits());
    session.wait_for(done(call_engine(*engine, request, mono_now_ns(), watch, nullptr, result)));
    return result;
  }

  Session session;
  std::unique_ptr<MockServer> server;
  std::unique_ptr<Engine> engine;
};

TEST(WireSettings, EachIsInTheBodyOrNamedAsNotSupported) {
  for (const Dialect& dialect : dialects()) {
    SCOPED_TRACE(dialect.kind + " as " + std::string(flavor_text(dialect.flavor)));
    Wire wire(dialect.kind, dialect.flavor);
    const CallSettings settings = everything();
    const SettingsFit fit = wire.engine->fit(settings);
    // What is not supported is not asked: such a leg is skipped.
    CallSettings asked = settings;
    const auto has = [](const std::vector<std::string>& names, const char* name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    visit_members(asked, [&](const char* name, auto& member) {
      if (has(fit.missing, name)) member = {};
    });
    const CallResult result = wire.call(CallRequest("m", "hello", asked));
    EXPECT_EQ(result.record.endpoint, dialect.endpoint);
    EXPECT_EQ(result.record.outcome, Outcome::kOk) << result.record.error.value_or("");
    const auto bodies = bodies_at(*wire.server, dialect.endpoint);
    ASSERT_EQ(bodies.size(), 1U);
    visit_members(settings, [&](const char* name, const auto& member) {
      SCOPED_TRACE(name);
      const bool is_sent = dialect.places.contains(name);
      if (std::string_view(name) == "load") return;
      EXPECT_EQ(is_sent, !has(fit.missing, name) && !has(fit.not_sent, name));
      if (!is_sent) return;
      const Json::json_pointer place(dialect.places.at(name));
      ASSERT_TRUE(bodies[0].contains(place)) << bodies[0].dump();
      if constexpr (requires { member->threads; }) {
        FAIL() << "how a model is loaded has a test of its own";
      } else if constexpr (requires { *member; }) {
        EXPECT_EQ(bodies[0][place], Json(*member));
      } else {
        EXPECT_EQ(bodies[0][place], Json(member));
      }
    });
  }
}

TEST(WireSettings, NothingIsSentThatWasNotAsked) {
  for (const Dialect& dialect : dialects()) {
    SCOPED_TRACE(dialect.kind + " as " + std::string(flavor_text(dialect.flavor)));
    Wire wire(dialect.kind, dialect.flavor);
    wire.call(CallRequest("m", "hello", CallSettings()));
    const auto bodies = bodies_at(*wire.server, dialect.endpoint);
    ASSERT_EQ(bodies.size(), 1U);
    for (const auto& [name, place] : dialect.places) {
      EXPECT_FALSE(bodies[0].contains(Json::json_pointer(place))) << name;
    }
  }
}

TEST(WireSettings, ThinkingIsSentInEachDialectsWordsOrNotSupported) {
  struct Case {
    std::string kind;
    Flavor flavor;
    std::string think;
    std::string body;  ///< What the body has more; empty: not supported.
  };
  const std::string kwargs = R"("chat_template_kwargs":{"enable_thinking":)";
  for (const Case& c : std::vector<Case>{
           {"ollama", Flavor::kOllama, "off", R"("think":false)"},
           {"ollama", Flavor::kOllama, "on", R"("think":true)"},
           {"ollama", Flavor::kOllama, "low", R"("think":"low")"},
           {"ollama", Flavor::kOllama, "500", ""},
           {"lmstudio", Flavor::kLmStudio, "off", R"("reasoning":"off")"},
           {"lmstudio", Flavor::kLmStudio, "500", ""},
           {"lmstudio", Flavor::kLmStudioV0, "off", ""},
           {"llamacpp", Flavor::kLlamaCpp, "off", kwargs + "false}"},
           {"llamacpp", Flavor::kLlamaCpp, "high", ""},
           {"llamacpp", Flavor::kLlamaCpp, "500", kwargs + R"(true},"thinking_budget_tokens":500)"},
           {"vllm", Flavor::kVllm, "off", kwargs + "false}"},
           {"vllm", Flavor::kVllm, "500", kwargs + R"(true},"thinking_token_budget":500)"},
           {"vllm", Flavor::kVllm, "high", R"("reasoning_effort":"high")"},
           {"openai", Flavor::kAll, "off", ""},
           {"openai", Flavor::kAll, "low", R"("reasoning_effort":"low")"}}) {
    SCOPED_TRACE(c.kind + " " + std::string(flavor_text(c.flavor)) + " " + c.think);
    Wire wire(c.kind, c.flavor);
    CallSettings settings;
    settings.think = c.think;
    const auto missing = wire.engine->fit(settings).missing;
    if (c.body.empty()) {
      EXPECT_EQ(missing, std::vector<std::string>{"think"});
      continue;
    }
    EXPECT_TRUE(missing.empty());
    const std::string body = wire.engine->chat_request(CallRequest("m", "hello", settings)).body;
    EXPECT_NE(body.find(c.body), std::string::npos) << body;
    EXPECT_EQ(wire.call(CallRequest("m", "hello", settings)).record.outcome, Outcome::kOk);
  }
}

TEST(WireSettings, HowAModelIsLoadedGoesWithTheCallOrItsLoadOrIsNotSupported) {
  CallSettings settings;
  settings.load.emplace();
  settings.load->threads = 3;
  settings.load->gpu_layers = 7;
  settings.load->batch_size = 64;
  settings.load->mmap = false;
  settings.load->flash_attention = "on";
  settings.load->cache_type_k = "q8_0";
  const auto missing = [&](Wire& wire) {
    auto names = wire.engine->fit(settings).missing;
    std::sort(names.begin(), names.end());
    return names;
  };
  Wire ollama("ollama", Flavor::kOllama);
  EXPECT_EQ(missing(ollama), (std::vector<std::string>{"cache_type_k", "flash_attention"}));
  ollama.call(CallRequest("m", "hello", settings));
  const Json options = bodies_at(*ollama.server, "/api/chat").at(0)["options"];
  EXPECT_EQ(options["num_thread"], 3);
  EXPECT_EQ(options["num_gpu"], 7);
  EXPECT_EQ(options["num_batch"], 64);
  EXPECT_EQ(options["use_mmap"], false);

  Wire lmstudio("lmstudio", Flavor::kLmStudio);
  EXPECT_TRUE(lmstudio.engine->loads_as_asked());
  EXPECT_EQ(missing(lmstudio),
            (std::vector<std::string>{"cache_type_k", "gpu_layers", "mmap", "threads"}));
  LiveCell live;
  live.asked_load = *settings.load;
  live.asked_load.context_length = 2048;
  const LaunchSettings load = live.asked_load;
  const std::string model = "m";
  ASSERT_TRUE(lmstudio.session.wait_for(lmstudio.engine->load(model, load)));
  const Json body = bodies_at(*lmstudio.server, "/api/v1/models/load").at(0);
  EXPECT_EQ(body["context_length"], 2048);
  EXPECT_EQ(body["eval_batch_size"], 64);
  EXPECT_EQ(body["flash_attention"], true);
  EXPECT_EQ(body["echo_load_config"], true);

  Wire vllm("vllm", Flavor::kVllm);
  EXPECT_EQ(missing(vllm).size(), 6U);
}

TEST(WireSettings, LmStudiosSeedTakesTheRouteThatKnowsOne) {
  Wire wire("lmstudio", Flavor::kLmStudio);
  CallSettings settings;
  settings.seed = 5;
  EXPECT_TRUE(wire.engine->fit(settings).missing.empty());
  const CallResult result = wire.call(CallRequest("m", "hello", settings));
  EXPECT_EQ(result.record.endpoint, "/v1/chat/completions");
  EXPECT_EQ(bodies_at(*wire.server, "/v1/chat/completions").at(0)["seed"], 5);
  settings.context_length = 2048;
  EXPECT_EQ(wire.engine->fit(settings).missing, std::vector<std::string>{"seed"});
}

TEST(WireSettings, ToolsAndDialoguesGoWhereTheyAreTaken) {
  CallRequest request("m", "And now?", CallSettings());
  request.earlier = {{"system", "Be brief."}, {"user", "Hello"}, {"assistant", "Hi"}};
  request.tools =
      R"([{"type":"function","function":{"name":"clock","parameters":{"type":"object"}}}])";
  for (const auto& [kind, flavor, endpoint] :
       {std::tuple{"lmstudio", Flavor::kLmStudio, "/v1/chat/completions"},
        std::tuple{"openai", Flavor::kAll, "/v1/chat/completions"},
        std::tuple{"ollama", Flavor::kOllama, "/api/chat"}}) {
    SCOPED_TRACE(kind);
    Wire wire(kind, flavor);
    const CallResult result = wire.call(request);
    EXPECT_EQ(result.record.endpoint, endpoint);
    const Json body = bodies_at(*wire.server, endpoint).at(0);
    ASSERT_EQ(body["messages"].size(), 4U);
    EXPECT_EQ(body["messages"][0]["role"], "system");
    EXPECT_EQ(body["messages"][3]["content"], "And now?");
    EXPECT_EQ(body["tools"][0]["function"]["name"], "clock");
  }
}

TEST(WireSettings, WhatTheRouteOfDialoguesCannotTakeIsNamed) {
  Wire wire("lmstudio", Flavor::kLmStudio);
  CallSettings settings;
  settings.context_length = 2048;
  settings.think = "off";
  CallRequest request("m", "And now?", settings);
  EXPECT_TRUE(wire.engine->fit_request(request).missing.empty());
  request.earlier = {{"user", "Hello"}, {"assistant", "Hi"}};
  EXPECT_EQ(wire.engine->fit_request(request).missing,
            (std::vector<std::string>{"context_length", "think"}));
  request.earlier.clear();
  request.tools = R"([{"type":"function","function":{"name":"clock"}}])";
  EXPECT_EQ(wire.engine->fit_request(request).missing,
            (std::vector<std::string>{"context_length", "think"}));
}

TEST(WireSettings, TheExactIdentifierGoesToLoadChatAndUnload) {
  Wire wire("lmstudio", Flavor::kLmStudio, {"a@q4_k_m", "a@q8_0"});
  const std::string model = "a@q8_0";
  LaunchSettings none;
  const auto loaded = wire.session.wait_for(wire.engine->load(model, none));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->instance, model);
  wire.call(CallRequest(model, "hello", CallSettings()));
  wire.call(CallRequest("a@q4_k_m", "hello", CallSettings()));
  const auto kind = wire.session.wait_for(wire.engine->make_cold(model));
  ASSERT_TRUE(kind) << kind.error().message;
  EXPECT_EQ(*kind, "unload");
  EXPECT_EQ(bodies_at(*wire.server, "/api/v1/models/load").at(0)["model"], model);
  EXPECT_EQ(bodies_at(*wire.server, "/api/v1/chat").at(0)["model"], model);
  const auto unloads = bodies_at(*wire.server, "/api/v1/models/unload");
  ASSERT_EQ(unloads.size(), 1U);  // The other quantization stays.
  EXPECT_EQ(unloads[0]["instance_id"], model);
}

TEST(WireSettings, AnEmbeddingModelIsLoadedWithoutTheOptionThatItRefuses) {
  Wire wire("lmstudio", Flavor::kLmStudio, {"text-embedding-nomic", "chat"});
  LaunchSettings settings;
  settings.kv_offload = true;
  settings.context_length = 512;
  const std::string embedding = "text-embedding-nomic";
  const auto loaded = wire.session.wait_for(wire.engine->load(embedding, settings));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->refused, std::vector<std::string>{"kv_offload"});
  const auto bodies = bodies_at(*wire.server, "/api/v1/models/load");
  ASSERT_EQ(bodies.size(), 2U);
  EXPECT_EQ(bodies[0]["offload_kv_cache_to_gpu"], true);
  EXPECT_FALSE(bodies[1].contains("offload_kv_cache_to_gpu"));
  EXPECT_EQ(bodies[1]["context_length"], 512);

  // Any other refusal is one.
  const std::string nobody;
  EXPECT_FALSE(wire.session.wait_for(wire.engine->load(nobody, settings)));
  EXPECT_EQ(bodies_at(*wire.server, "/api/v1/models/load").size(), 3U);
}

}  // namespace
}  // namespace assay::test
