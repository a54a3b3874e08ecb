// What LM Studio, vLLM, llama.cpp's router and Ollama tell of themselves, and how they let go of a
// model: against the mock and against what their documentation says they answer.
#include <gtest/gtest.h>

#include <cmath>

#include "engines/builtin.h"
#include "engines/call.h"
#include "engines/llamacpp_facts.h"
#include "run/retry_rule.h"
#include "run/session.h"
#include "run/wait_for.h"
#include "stats/derive.h"
#include "support/fixture_server.h"
#include "support/mock_calls.h"

namespace assay::test {
namespace {

constexpr Nanos kTimeout = std::chrono::seconds(5);

Task<int> done(Task<void> call) {
  co_await std::move(call);
  co_return 0;
}

/// A mock of that flavor and whatever kind of engine a run takes it for.
struct Found {
  explicit Found(Flavor flavor, std::vector<std::string> models = {"m"},
                 MockOptions options = quick_options()) {
    options.flavor = flavor;
    options.models = std::move(models);
    server = start_mock(options);
    RunSpec spec;
    spec.targets = {server->base_url()};
    const auto answers = probe_targets(session, spec);
    if (answers) answer = answers->front();
  }

  CallRecord call(const std::string& model, CallSettings settings = {}) {
    const CallRequest request(model, "hello there", settings);
    CallWatch watch(session.io, Limits());
    result = CallResult();
    session.wait_for(
        done(call_engine(*answer.engine, request, mono_now_ns(), watch, nullptr, result)));
    return result.record;
  }

  Session session;
  std::unique_ptr<MockServer> server;
  TargetAnswer answer;
  CallResult result;
};

TEST(Detection, EachEngineIsTakenForItself) {
  for (const auto& [flavor, kind] :
       {std::pair{Flavor::kOllama, "ollama"}, std::pair{Flavor::kLlamaCpp, "llamacpp"},
        std::pair{Flavor::kRouter, "llamacpp"}, std::pair{Flavor::kLmStudio, "lmstudio"},
        std::pair{Flavor::kLmStudioV0, "lmstudio"}, std::pair{Flavor::kVllm, "vllm"},
        std::pair{Flavor::kOpenAi, "openai"}, std::pair{Flavor::kAll, "openai"}}) {
    const Found found(flavor);
    EXPECT_EQ(found.answer.kind, kind) << flavor_text(flavor) << ": " << found.answer.error;
  }
}

TEST(LmStudio, AStreamTellsOfLoadingAndPromptProcessing) {
  MockOptions options = quick_options();
  options.load_time = std::chrono::milliseconds(40);
  options.ttft = std::chrono::milliseconds(20);
  Found found(Flavor::kLmStudio, {"m"}, options);
  const CallRecord first = found.call("m");
  EXPECT_EQ(first.outcome, Outcome::kOk) << first.error.value_or("");
  EXPECT_EQ(first.engine.load_ms, 40);
  EXPECT_EQ(first.engine.ttft_ms, 20);
  const Instants& at = first.at;
  ASSERT_TRUE(at.load_start && at.load_end && at.prefill_start && at.prefill_end && at.first_text);
  EXPECT_LE(*at.load_start, *at.load_end);
  EXPECT_LE(*at.load_end, *at.prefill_start);
  EXPECT_LE(*at.prefill_start, *at.prefill_end);
  EXPECT_LE(*at.prefill_end, *at.first_text);
  EXPECT_EQ(first.engine.output_tokens, 8);
  EXPECT_EQ(first.prompt_tokens, 2);
  EXPECT_EQ(first.finish_reason, "stop");
  const CallRecord second = found.call("m");
  EXPECT_FALSE(second.at.load_start);
  EXPECT_FALSE(second.engine.load_ms);
}

TEST(LmStudio, AnAnswerAtItsLimitEndedByLength) {
  Found found(Flavor::kLmStudio);
  CallSettings settings;
  settings.max_tokens = 3;
  EXPECT_EQ(found.call("m", settings).finish_reason, "length");
  settings.max_tokens = 100;
  EXPECT_EQ(found.call("m", settings).finish_reason, "stop");
}

TEST(LmStudio, AModelThatWasEvictedIsAskedForOnceMore) {
  Found found(Flavor::kLmStudio);
  const CallRecord first = found.call("fault:unloaded");
  EXPECT_EQ(first.error_code, "http_400");
  EXPECT_EQ(first.flags, std::vector<std::string>{"model_unloaded"});
  EXPECT_TRUE(wants_another(found.result, 0));
  EXPECT_EQ(found.call("fault:unloaded").outcome, Outcome::kOk);
  // Another refusal is final, and so is the same one elsewhere.
  found.call("fault:400");
  EXPECT_FALSE(wants_another(found.result, 3));
  Found other(Flavor::kOpenAi);
  other.call("fault:unloaded");
  EXPECT_FALSE(wants_another(other.result, 3));
}

TEST(LmStudio, OlderProgramsGiveTheirStatistics) {
  MockOptions options = quick_options();
  options.ttft = std::chrono::milliseconds(5);
  options.gap = std::chrono::milliseconds(2);
  Found found(Flavor::kLmStudioV0, {"m"}, options);
  EXPECT_EQ(found.answer.version, "REST API v0");
  const CallRecord record = found.call("m");
  EXPECT_EQ(record.endpoint, "/api/v0/chat/completions");
  EXPECT_EQ(record.engine.ttft_ms, 5);
  EXPECT_EQ(record.engine.decode_ms, 14);
  EXPECT_EQ(record.usage_output_tokens, 8);
  EXPECT_FALSE(found.answer.engine->unloads());
}

TEST(LmStudio, VariantsAreModelsOfTheirOwn) {
  const Found found(Flavor::kLmStudio, {"a@q4_k_m", "a@q8_0", "text-embedding-b"});
  ASSERT_EQ(found.answer.models.size(), 3U);
  EXPECT_EQ(found.answer.models[0].name, "a@q4_k_m");
  EXPECT_EQ(found.answer.models[1].name, "a@q8_0");
  EXPECT_EQ(found.answer.models[1].quantization, "q8_0");
  EXPECT_TRUE(found.answer.models[2].is_embedding);
}

TEST(LmStudio, ReadsWhatItsDocumentationShows) {
  Session session;
  const FixtureServer server(session.io,
                             {{"GET /api/v1/models", "lmstudio_models.json"},
                              {"GET /api/v1/models/download/status", "lmstudio_downloads.json"},
                              {"POST /api/v1/models/load", "lmstudio_load.json"}});
  const auto engine = make_lmstudio(session.http, server.url(), Secret());
  const auto info = session.wait_for(engine->probe(kTimeout));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->version, "REST API v1");
  EXPECT_EQ(info->busy, "it downloads 1 model");
  const auto models = session.wait_for(engine->models(kTimeout));
  ASSERT_TRUE(models);
  ASSERT_EQ(models->size(), 2U);
  const ModelInfo& gemma = models->front();
  EXPECT_EQ(gemma.name, "gemma-3-270m-it-qat");
  EXPECT_TRUE(gemma.loaded);
  EXPECT_EQ(gemma.context_length, 4096);
  EXPECT_EQ(gemma.bytes, 241'410'208);
  EXPECT_EQ(gemma.quantization, "Q4_0");
  EXPECT_TRUE(models->back().is_embedding);
  EXPECT_FALSE(models->back().loaded);
  const std::string model = "openai/gpt-oss-20b";
  LaunchSettings none;
  const auto loaded = session.wait_for(engine->load(model, none));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->instance, model);
  EXPECT_DOUBLE_EQ(*loaded->load_ms, 9099);
  EXPECT_EQ(loaded->effective.context_length, 16'384);
  EXPECT_EQ(loaded->effective.batch_size, 512);
  EXPECT_EQ(loaded->effective.flash_attention, "on");
  EXPECT_EQ(loaded->effective.kv_offload, true);
}

TEST(LmStudio, FallsBackToTheOlderList) {
  Session session;
  const FixtureServer server(session.io, {{"GET /api/v0/models", "lmstudio_v0_models.json"}});
  const auto engine = make_lmstudio(session.http, server.url(), Secret());
  const auto info = session.wait_for(engine->probe(kTimeout));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->version, "REST API v0");
  const auto models = session.wait_for(engine->models(kTimeout));
  ASSERT_TRUE(models);
  ASSERT_EQ(models->size(), 3U);
  EXPECT_EQ(models->at(1).quantization, "Q4_K_M");
  EXPECT_TRUE(models->at(2).is_embedding);
  EXPECT_EQ(models->at(0).vision, true);
  EXPECT_EQ(models->at(0).tools, false);
  EXPECT_EQ(models->at(1).vision, false);
  EXPECT_EQ(models->at(1).tools, true);
  EXPECT_FALSE(models->at(2).tools);  // It does not say.
}

TEST(LmStudio, AnOlderListMayBeEmptyOrSayNothingOfStates) {
  for (const char* list : {"lmstudio_v0_empty.json", "lmstudio_v0_bare.json"}) {
    Session session;
    const FixtureServer server(session.io, {{"GET /api/v0/models", list}});
    const auto engine = make_lmstudio(session.http, server.url(), Secret());
    const auto info = session.wait_for(engine->probe(kTimeout));
    ASSERT_TRUE(info) << list << ": " << info.error().message;
    EXPECT_EQ(info->version, "REST API v0");
    EXPECT_TRUE(session.wait_for(engine->models(kTimeout)));
  }
}

TEST(LmStudio, OneThatWasNamedIsAskedInOpenAisDialectWhereItHasNoOther) {
  Session session;
  const FixtureServer server(session.io, {{"GET /v1/models", "openai_models.json"}});
  RunSpec spec;
  spec.targets = {server.url().text()};
  spec.engine = "lmstudio";
  const auto answers = probe_targets(session, spec);
  ASSERT_TRUE(answers);
  const TargetAnswer& answer = answers->front();
  EXPECT_EQ(answer.kind, "lmstudio") << answer.error;
  ASSERT_EQ(answer.models.size(), 1U);
  const CallRequest request("m", "hello", CallSettings());
  EXPECT_EQ(answer.engine->chat_request(request).target, "/v1/chat/completions");
  EXPECT_FALSE(answer.engine->unloads());
  EXPECT_FALSE(answer.engine->loads_as_asked());
  // Nobody takes it for LM Studio by itself.
  spec.engine.clear();
  const auto unnamed = probe_targets(session, spec);
  ASSERT_TRUE(unnamed);
  EXPECT_EQ(unnamed->front().kind, "openai");
}

TEST(Vllm, SleepsAndWakesUp) {
  MockOptions options = quick_options();
  options.load_time = std::chrono::milliseconds(10);
  Found found(Flavor::kVllm, {"m"}, options);
  Engine& engine = *found.answer.engine;
  EXPECT_TRUE(engine.unloads());
  EXPECT_FALSE(engine.loads_in_call());
  const std::string model = "m";
  const auto kind = found.session.wait_for(engine.make_cold(model));
  ASSERT_TRUE(kind);
  EXPECT_EQ(*kind, "sleep");
  EXPECT_EQ(get(*found.server, "/is_sleeping")["is_sleeping"], true);
  EXPECT_EQ(found.call("m").http_status, 503);
  LaunchSettings none;
  ASSERT_TRUE(found.session.wait_for(engine.load(model, none)));
  EXPECT_EQ(get(*found.server, "/is_sleeping")["is_sleeping"], false);
  EXPECT_EQ(found.call("m").outcome, Outcome::kOk);
}

TEST(Vllm, CountsPrefixesAndTokens) {
  MockOptions options = quick_options();
  options.prefix_cache = true;
  Found found(Flavor::kVllm, {"m"}, options);
  EXPECT_EQ(found.answer.version, "0.0.0-mock");
  found.call("m");
  found.call("m");
  const auto counters = found.session.wait_for(found.answer.engine->counters("m", kTimeout));
  ASSERT_TRUE(counters);
  EXPECT_EQ(counters->output_tokens, 16);
  EXPECT_EQ(counters->prefix_queries, 4);
  EXPECT_EQ(counters->prefix_hits, 1);
  const std::string model = "m";
  const std::string text = "one two three";
  EXPECT_EQ(found.session.wait_for(found.answer.engine->count_tokens(model, text)).value(), 3);
}

TEST(Vllm, ReadsWhatItsDocumentationShows) {
  Session session;
  const FixtureServer server(session.io, {{"GET /metrics", "vllm_metrics.txt"}});
  const auto engine = make_vllm(session.http, server.url(), Secret());
  const auto counters = session.wait_for(engine->counters("m", kTimeout));
  ASSERT_TRUE(counters) << counters.error().message;
  EXPECT_EQ(counters->prompt_tokens, 12'345);
  EXPECT_EQ(counters->output_tokens, 678);
  EXPECT_EQ(counters->prefix_queries, 12'340);
  EXPECT_EQ(counters->prefix_hits, 320);
}

TEST(Router, UnloadsAndLoadsAndSaysWhatIsLoaded) {
  MockOptions options = quick_options();
  options.load_time = std::chrono::milliseconds(30);
  Found found(Flavor::kRouter, {"a", "b"}, options);
  ASSERT_EQ(found.answer.models.size(), 2U);
  EXPECT_FALSE(found.answer.models[0].loaded);
  Engine& engine = *found.answer.engine;
  const std::string model = "b";
  LaunchSettings none;
  const auto loaded = found.session.wait_for(engine.load(model, none));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_GE(*loaded->load_ms, 30);
  auto models = found.session.wait_for(engine.models(kTimeout));
  ASSERT_TRUE(models);
  EXPECT_FALSE(models->at(0).loaded);
  EXPECT_TRUE(models->at(1).loaded);
  EXPECT_EQ(models->at(1).context_length, 131'072);
  const auto kind = found.session.wait_for(engine.make_cold(model));
  ASSERT_TRUE(kind) << kind.error().message;
  EXPECT_EQ(*kind, "unload");
  models = found.session.wait_for(engine.models(kTimeout));
  EXPECT_FALSE(models->at(1).loaded);
  // Nothing is loaded: nothing is to be unloaded.
  EXPECT_TRUE(found.session.wait_for(engine.make_cold(model)));
  const std::string unknown = "c";
  EXPECT_FALSE(found.session.wait_for(engine.load(unknown, none)));
}

TEST(Router, ReadsWhatItAnswers) {
  Session session;
  const FixtureServer server(session.io, {{"GET /models", "llamacpp_router_models.json"},
                                          {"GET /props", "llamacpp_router_props.json"}});
  const auto engine = make_llamacpp(session.http, server.url(), Secret());
  const auto info = session.wait_for(engine->probe(kTimeout));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->version, "b11669-Debian");
  EXPECT_TRUE(engine->counts_each_model());
  const auto models = session.wait_for(engine->models(kTimeout));
  ASSERT_TRUE(models) << models.error().message;
  ASSERT_EQ(models->size(), 3U);
  const ModelInfo& waiting = models->at(1);
  EXPECT_FALSE(waiting.loaded);
  EXPECT_EQ(waiting.max_context, 8192);
  EXPECT_EQ(waiting.file, "/models/smollm2-135m-q8_0.gguf");
  EXPECT_EQ(waiting.vision, false);
  const ModelInfo& tiny = models->at(2);
  EXPECT_TRUE(tiny.loaded);
  EXPECT_EQ(tiny.quantization, "F32");
  EXPECT_EQ(tiny.parameters, 565'888);
  EXPECT_EQ(tiny.bytes, 2'263'552);
  const std::string broken = "broken";
  const auto cold = session.wait_for(engine->make_cold(broken));
  ASSERT_FALSE(cold);
  EXPECT_NE(cold.error().message.find("could not load broken: its process ended with 1"),
            std::string::npos);
}

TEST(Router, CountsEachModelByItself) {
  Found found(Flavor::kRouter, {"a", "b/c"});
  Engine& engine = *found.answer.engine;
  EXPECT_FALSE(found.session.wait_for(engine.counters("b/c", kTimeout)));  // Not loaded yet.
  found.call("b/c");
  const auto counted = found.session.wait_for(engine.counters("b/c", kTimeout));
  ASSERT_TRUE(counted) << counted.error().message;
  EXPECT_EQ(counted->model, "b/c");
  EXPECT_EQ(counted->output_tokens, 8);
  EXPECT_FALSE(found.session.wait_for(engine.counters("a", kTimeout)));
}

TEST(Router, AModelThatIsThereIsNotLoadedTwice) {
  Found found(Flavor::kRouter, {"a"});
  found.call("a");
  const std::string model = "a";
  LaunchSettings none;
  const auto loaded = found.session.wait_for(found.answer.engine->load(model, none));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_FALSE(loaded->load_ms);
}

TEST(LlamaServer, ReadsWhatItAnswers) {
  Session session;
  const FixtureServer server(session.io, {{"GET /props", "llamacpp_props.json"},
                                          {"GET /v1/models", "llamacpp_models.json"},
                                          {"GET /slots", "llamacpp_slots.json"},
                                          {"GET /metrics", "llamacpp_metrics.txt"}});
  const auto engine = make_llamacpp(session.http, server.url(), Secret());
  const auto info = session.wait_for(engine->probe(kTimeout));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->slots, 4);
  EXPECT_EQ(info->busy, "");
  const auto models = session.wait_for(engine->models(kTimeout));
  ASSERT_TRUE(models) << models.error().message;
  ASSERT_EQ(models->size(), 1U);
  const ModelInfo& model = models->front();
  EXPECT_EQ(model.name, "/models/smollm2-135m-q8_0.gguf");
  EXPECT_EQ(model.quantization, "Q8_0");
  EXPECT_EQ(model.parameters, 134'515'008);
  EXPECT_EQ(model.max_context, 8192);
  EXPECT_EQ(model.context_length, 8192);
  EXPECT_EQ(model.file, model.name);
  EXPECT_EQ(model.vision, false);
  EXPECT_EQ(model.tools, false);
  // Its template has no word for thinking.
  CallSettings settings;
  settings.think = "off";
  EXPECT_EQ(engine->fit(settings).missing, std::vector<std::string>{"think"});
  const auto counters = session.wait_for(engine->counters("any", kTimeout));
  ASSERT_TRUE(counters);
  EXPECT_EQ(counters->prompt_tokens, 41);
  EXPECT_EQ(counters->prefix_hits, 6);
  EXPECT_EQ(counters->prefix_queries, 47);
  EXPECT_EQ(counters->output_tokens, 15);
  EXPECT_EQ(counters->model, "");
}

TEST(LlamaServer, QuantisationsHaveTheirUsualNames) {
  EXPECT_EQ(quantization_name("Q4_K - Medium"), "Q4_K_M");
  EXPECT_EQ(quantization_name("Q3_K - Extra Large"), "Q3_K_XL");
  EXPECT_EQ(quantization_name("all F32"), "F32");
  EXPECT_EQ(quantization_name("Q8_0 (guessed)"), "Q8_0");
  EXPECT_EQ(quantization_name("IQ2_XXS - 2.0625 bpw"), "IQ2_XXS");
  EXPECT_EQ(quantization_name(""), "");
}

TEST(LlamaServer, SaysThatItsSlotsAreBusy) {
  MockOptions options = quick_options();
  options.slots = 2;
  Found found(Flavor::kLlamaCpp, {"m"}, options);
  EXPECT_EQ(found.answer.slots, 2);
  EXPECT_EQ(found.answer.busy, "");
  BlockingClient other(found.server->port());
  other.request("POST", "/v1/chat/completions", chat_request("fault:hang_first").dump());
  constexpr int kMostLooks = 1'000'000;  // Each asks the server's own thread.
  for (int i = 0; i < kMostLooks && found.server->stats().active == 0; ++i) {
  }
  const auto info = found.session.wait_for(found.answer.engine->probe(kTimeout));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->busy, "1 of 2 slots answer others");
}

TEST(Ollama, TellsWhatIsOnTheGpuAndWhichWeights) {
  Session session;
  const FixtureServer server(
      session.io, {{"GET /api/tags", "ollama_tags.json"}, {"GET /api/ps", "ollama_ps.json"}});
  const auto engine = make_ollama(session.http, server.url(), Secret());
  const auto models = session.wait_for(engine->models(kTimeout));
  ASSERT_TRUE(models) << models.error().message;
  ASSERT_EQ(models->size(), 1U);
  const ModelInfo& model = models->front();
  EXPECT_TRUE(model.loaded);
  EXPECT_EQ(model.memory_bytes, 5'137'025'024);
  EXPECT_EQ(model.vram_bytes, 5'137'025'024);
  EXPECT_EQ(model.digest.substr(0, 12), "2ae6f6dd7a3d");
}

TEST(ModelNames, TagsAndQuantizationsMayBeLeftOut) {
  EXPECT_TRUE(names_model("llama3:latest", "llama3"));
  EXPECT_TRUE(names_model("qwen3@q4_k_m", "qwen3"));
  EXPECT_TRUE(names_model("qwen3@q4_k_m", "qwen3@q4_k_m"));
  EXPECT_FALSE(names_model("qwen3@q8_0", "qwen3@q4_k_m"));
  EXPECT_FALSE(names_model("llama3:8b", "llama3"));
  EXPECT_FALSE(names_model("llama3", "llama3:latest"));
}

}  // namespace
}  // namespace assay::test
