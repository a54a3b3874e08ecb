// What an engine cannot be asked for becomes a reason in the plan, never silence.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "run/planner.h"
#include "run/synthetic.h"

namespace assay {
namespace {

RunMeta meta_of(const std::string& kind) {
  RunMeta meta;
  meta.cells.resize(1);
  meta.cells[0].id = "local:" + kind + ":m";
  meta.cells[0].kind = kind;
  meta.cells[0].model = "m";
  return meta;
}

RunSpec asking() {
  RunSpec spec;
  spec.prompt = "hello";
  spec.repetitions = 2;
  return spec;
}

/// An engine without a seed, and without a word for the length.
SettingsFit no_seed(int64_t, const CallSettings& settings) {
  SettingsFit fit;
  if (settings.seed) fit.missing.emplace_back("seed");
  if (settings.fixed_length) fit.not_sent.emplace_back("fixed_length");
  return fit;
}

/// Its ways are known without a server.
std::unique_ptr<Engine> engine_of(const std::string& kind) {
  static boost::asio::io_context io;
  static HttpClient http(io);
  return find_engine(kind).value()->make(http, Url(), Secret());
}

TEST(PlannerFit, ALoadThatAServerCannotBeAskedForSkipsTheLegByName) {
  for (const auto& [kind, skip] :
       {std::pair{"ollama", ""}, std::pair{"vllm", "not supported by vllm: threads"},
        std::pair{"llamacpp", "not supported by llamacpp: threads"}}) {
    RunMeta meta = meta_of(kind);
    RunSpec spec = asking();
    spec.threads = 3;
    const auto engine = engine_of(kind);
    ASSERT_TRUE(make_plan(spec, meta, {}, [&](int64_t, const CallSettings& settings) {
      return engine->fit(settings);
    }));
    for (const Leg& leg : meta.legs) {
      EXPECT_EQ(leg.skip, skip);
      EXPECT_EQ(leg.settings.load->threads, 3);
    }
    RunMeta ours = meta_of(kind);
    ours.cells[0].managed = true;
    ASSERT_TRUE(make_plan(spec, ours));
    for (const Leg& leg : ours.legs) EXPECT_FALSE(leg.settings.load);  // It was started so.
  }
}

TEST(PlannerFit, ALengthIsAskedForInWordsWhereTheEngineMayStopBefore) {
  for (const auto& [kind, asks] : {std::pair{"vllm", false}, std::pair{"openai", true}}) {
    RunMeta meta = meta_of(kind);
    RunSpec spec;
    spec.output_len = {64};
    spec.repetitions = 1;
    const auto engine = engine_of(kind);
    ASSERT_TRUE(make_plan(spec, meta, {}, [&](int64_t, const CallSettings& settings) {
      return engine->fit(settings);
    }));
    const bool asked = meta.prompts.back().text.find(kLongAnswerRequest) != std::string::npos;
    EXPECT_EQ(asked, asks) << kind;
  }
}

TEST(PlannerFit, ASettingThatCannotBeAskedForSkipsTheLegByName) {
  RunMeta meta = meta_of("lmstudio");
  RunSpec spec = asking();
  spec.sampling_seed = 7;
  ASSERT_TRUE(make_plan(spec, meta, {}, no_seed));
  ASSERT_FALSE(meta.legs.empty());
  for (const Leg& leg : meta.legs) {
    EXPECT_EQ(leg.skip, "not supported by lmstudio: seed");
    EXPECT_EQ(leg.settings.seed, 7);  // What was asked stays on record.
  }
  RunMeta fine = meta_of("lmstudio");
  ASSERT_TRUE(make_plan(asking(), fine, {}, no_seed));
  for (const Leg& leg : fine.legs) EXPECT_EQ(leg.skip, "");
}

TEST(PlannerFit, ALengthThatThePromptAsksForIsNotedAtTheLeg) {
  RunMeta meta = meta_of("lmstudio");
  RunSpec spec;
  spec.output_len = {32};
  spec.repetitions = 1;
  ASSERT_TRUE(make_plan(spec, meta, {}, no_seed));
  for (const Leg& leg : meta.legs) {
    EXPECT_EQ(leg.skip, "");
    EXPECT_EQ(leg.not_sent, std::vector<std::string>{"fixed_length"});
  }
}

TEST(PlannerFit, AContextThatNobodyAskedForIsLeftToEnginesThatSizeTheirs) {
  RunSpec spec;
  spec.input_len = {100};
  spec.repetitions = 1;
  for (const auto& [kind, sized] : {std::pair{"ollama", true}, std::pair{"llamacpp", false},
                                    std::pair{"openai", false}, std::pair{"lmstudio", false}}) {
    RunMeta meta = meta_of(kind);
    const auto engine = engine_of(kind);
    ASSERT_TRUE(make_plan(spec, meta, {}, [&](int64_t, const CallSettings& settings) {
      return engine->fit(settings);
    }));
    EXPECT_EQ(meta.legs.back().settings.context_length.has_value(), sized) << kind;
  }
}

TEST(PlannerCold, ColdCallsComeFirstAndOneAtATime) {
  for (const bool synthetic : {true, false}) {
    RunMeta meta = meta_of("ollama");
    RunSpec spec = asking();
    if (synthetic) {
      spec.prompt.clear();
      spec.output_len = {16};
    }
    spec.cold = 3;
    spec.max_concurrency = 2;
    ASSERT_TRUE(make_plan(spec, meta));
    const Leg& first = meta.legs.front();
    EXPECT_EQ(first.phase, Phase::kCold);
    EXPECT_EQ(first.calls, 3);
    EXPECT_EQ(first.concurrency, 1);
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(meta.calls[i].leg, 0);
  }
}

TEST(PlannerCold, AnEngineThatKeepsItsModelSaysSo) {
  RunMeta meta = meta_of("openai");
  meta.cells[0].cold_kind = "process_warm";
  RunSpec spec = asking();
  spec.cold = 2;
  ASSERT_TRUE(make_plan(spec, meta));
  EXPECT_EQ(meta.legs.front().skip, "not supported by openai: cold");
  EXPECT_EQ(meta.legs.back().skip, "");
}

}  // namespace
}  // namespace assay
