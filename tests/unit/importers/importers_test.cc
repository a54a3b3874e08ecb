#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "importers/importer.h"
#include "stats/derive.h"

namespace assay {
namespace {

using testing::HasSubstr;

std::string fixture(const std::string& name) {
  const auto text = read_file(std::filesystem::path(ASSAY_TEST_DATA) / "import" / name);
  EXPECT_TRUE(text) << name;
  return text.value_or("");
}

ImportedRun imported(const std::string& name, const ImportHints& hints = {}) {
  auto run = import_text(fixture(name), "", hints);
  EXPECT_TRUE(run) << name << ": " << run.error().message;
  return run ? std::move(*run) : ImportedRun();
}

std::string error_of(const std::string& text, std::string_view format = "") {
  const auto run = import_text(text, format, {});
  return run ? "no error" : run.error().message;
}

const ReportedFigure* figure(const ImportedRun& run, std::string_view of, std::string_view name) {
  for (const ReportedFigure& f : run.meta.imported->reported) {
    if (f.of == of && f.name == name) return &f;
  }
  return nullptr;
}

int64_t count(const ImportedRun& run, Outcome outcome) {
  return std::count_if(run.calls.begin(), run.calls.end(),
                       [&](const CallRecord& r) { return r.outcome == outcome; });
}

class EachFile : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(EachFile, IsKnownByItsShapeAndMarked) {
  const auto& [file, tool] = GetParam();
  const ImportedRun run = imported(file);
  ASSERT_TRUE(run.meta.imported);
  EXPECT_EQ(run.meta.imported->tool, tool);
  EXPECT_EQ(run.meta.suite, tool);
  EXPECT_EQ(run.meta.imported->sha256.size(), 64U);
  EXPECT_FALSE(run.meta.imported->definitions.empty());
  EXPECT_EQ(run.meta.calls.size(), run.calls.size());
  for (const CallRecord& r : run.calls) {
    EXPECT_THAT(r.flags, testing::Contains("imported"));
    EXPECT_LT(r.leg, std::ssize(run.meta.legs));
    EXPECT_FALSE(r.cell_id.empty());
  }
}

/// Whatever a damaged file holds, the answer is a run or a sentence.
TEST_P(EachFile, CutAnywhereGivesARunOrAnError) {
  const std::string text = fixture(GetParam().first);
  for (size_t at = 0; at < text.size(); at += 1 + text.size() / 97) {
    const auto run = import_text(text.substr(0, at), "", {});
    if (!run) {
      EXPECT_FALSE(run.error().message.empty());
    }
  }
}

/// Each number becomes what no measurement is: nothing overflows, nothing is taken for a figure.
TEST_P(EachFile, NumbersThatCannotBeAreErrorsOrLeftOut) {
  const std::string text = fixture(GetParam().first);
  for (const std::string_view bad : {"1e300", "-5e17", "\"x\"", "null", "{}", "[]"}) {
    size_t replaced = 0;
    for (size_t at = 0; at + 1 < text.size() && replaced < 40; ++at) {
      const bool begins = (text[at] == ' ' || text[at] == ':' || text[at] == '[') &&
                          text[at + 1] >= '1' && text[at + 1] <= '9';
      if (!begins) continue;
      const size_t end = std::min(text.find_first_not_of("0123456789.", at + 1), text.size());
      std::string damaged = text.substr(0, at + 1);
      damaged.append(bad).append(text, end);
      const auto run = import_text(damaged, GetParam().second, {});
      if (!run) {
        EXPECT_FALSE(run.error().message.empty());
      }
      ++replaced;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Importers, EachFile,
                         testing::Values(std::pair{"llama-bench.json", "llama-bench"},
                                         std::pair{"llama-bench.jsonl", "llama-bench"},
                                         std::pair{"llama-bench.csv", "llama-bench"},
                                         std::pair{"ollama-verbose.txt", "ollama-verbose"},
                                         std::pair{"guidellm.json", "guidellm"},
                                         std::pair{"vllm-bench-detailed.json", "vllm-bench"},
                                         std::pair{"vllm-bench-chat.json", "vllm-bench"},
                                         std::pair{"vllm-bench-totals.json", "vllm-bench"},
                                         std::pair{"aiperf.jsonl", "aiperf"},
                                         std::pair{"aiperf-totals.json", "aiperf"},
                                         std::pair{"openai-batch.jsonl", "openai-batch"}));

TEST(LlamaBench, EachRepetitionIsACallWithTheEnginesOwnTimesOnly) {
  const ImportedRun run = imported("llama-bench.json");
  ASSERT_EQ(run.calls.size(), 18U);
  const CallRecord& pp = run.calls[0];
  EXPECT_EQ(pp.prompt_id, "pp512");
  EXPECT_EQ(pp.engine.prompt_tokens, 512);
  EXPECT_EQ(pp.engine.prefill_ms, 4000);
  EXPECT_EQ(pp.prefix, Prefix::kFresh);
  EXPECT_EQ(derive::prefill_tps(pp), 128);
  EXPECT_FALSE(pp.at.sent);
  EXPECT_FALSE(derive::ttft_ms(pp));
  const CallRecord& tg = run.calls[6];
  EXPECT_EQ(tg.prompt_id, "tg128");
  EXPECT_EQ(tg.engine.decode_ms, 6400);
  EXPECT_EQ(derive::engine_decode_tps(tg), 20);
  EXPECT_FALSE(derive::decode_tps(tg)) << "the client's speed is not known";
  const CallRecord& deep = run.calls[12];
  EXPECT_EQ(deep.prompt_id, "tg128@d4096");
  EXPECT_EQ(deep.prefix, Prefix::kReused);
  EXPECT_EQ(deep.cached_tokens, 4096);
}

TEST(LlamaBench, ATestOfBothGivesNoSpeedOfEither) {
  const ImportedRun run = imported("llama-bench.json");
  const CallRecord& both = run.calls.back();
  EXPECT_EQ(both.prompt_id, "pp512+tg128");
  EXPECT_FALSE(derive::prefill_tps(both));
  EXPECT_FALSE(derive::engine_decode_tps(both));
  EXPECT_EQ(both.engine.total_ms, 10390);
}

TEST(LlamaBench, DescribesTheModelAndTellsConfigurationsApart) {
  const ImportedRun one = imported("llama-bench.json");
  ASSERT_EQ(one.meta.cells.size(), 1U);
  EXPECT_EQ(one.meta.cells[0].id, "imported:llamacpp:tiny-1b-q4_0");
  EXPECT_EQ(one.meta.cells[0].quantization, "Q4_0");
  EXPECT_EQ(one.meta.cells[0].model_bytes, 700000000);
  EXPECT_EQ(one.meta.cells[0].version, "b6512 (3f1c2ab7)");
  EXPECT_EQ(one.meta.started_wall_ns, 1772445600'000'000'000);
  const ImportedRun two = imported("llama-bench.jsonl");
  ASSERT_EQ(two.meta.cells.size(), 2U);
  EXPECT_EQ(two.meta.cells[1].model, "tiny-1b-q4_0 [n_threads 8]");
}

TEST(LlamaBench, CsvHasAveragesOnlyWhichAreNoCalls) {
  const ImportedRun run = imported("llama-bench.csv");
  EXPECT_TRUE(run.calls.empty());
  ASSERT_EQ(run.meta.legs.size(), 2U);
  EXPECT_THAT(run.meta.legs[0].skip, HasSubstr("-o json"));
  const ReportedFigure* speed = figure(run, "tiny-1b-q4_0 tg128", "avg_ts");
  ASSERT_NE(speed, nullptr);
  EXPECT_NEAR(speed->value, 20, 0.01);
}

TEST(OllamaVerbose, EachAnswerIsACallAndLengthsAreLegs) {
  const ImportedRun run = imported("ollama-verbose.txt", {"tiny:1b", ""});
  ASSERT_EQ(run.calls.size(), 3U);
  EXPECT_EQ(run.meta.cells[0].id, "imported:ollama:tiny:1b");
  EXPECT_EQ(run.meta.legs.size(), 2U);
  const CallRecord& first = run.calls[0];
  EXPECT_EQ(first.engine.total_ms, 2500);
  EXPECT_EQ(first.engine.load_ms, 126.29);
  EXPECT_EQ(first.engine.prefill_ms, 130);
  EXPECT_EQ(first.prompt_tokens, 26);
  EXPECT_EQ(first.completion_tokens, 110);
  EXPECT_EQ(first.token_source, TokenSource::kEngine);
  EXPECT_EQ(first.prefix, Prefix::kUnknown) << "no line tells what was cached";
  const CallRecord& second = run.calls[1];
  EXPECT_NEAR(*second.engine.load_ms, 0.877, 1e-9);
  EXPECT_EQ(second.engine.decode_ms, 60000);
  EXPECT_EQ(second.engine.prompt_tokens, 6);
  EXPECT_EQ(second.prefix, Prefix::kReused);
}

TEST(OllamaVerbose, AFigureThatIsNoneIsNamedWithItsLine) {
  const std::string text =
      "total duration: 2s\neval count: 10 token(s)\neval duration: fast\neval rate: 5 tokens/s\n";
  EXPECT_THAT(error_of(text), HasSubstr("line 3"));
  EXPECT_THAT(error_of(text), HasSubstr("'fast'"));
}

TEST(VllmBench, CompletionsGiveInstantsAndTokenTimes) {
  const ImportedRun run = imported("vllm-bench-detailed.json");
  ASSERT_EQ(run.calls.size(), 8U);
  const CallRecord& r = run.calls[1];
  EXPECT_EQ(r.at.sent, 250'000'000) << "from the first request's start";
  EXPECT_NEAR(*derive::ttft_ms(r), 130, 1e-6);
  EXPECT_EQ(r.completion_tokens, 32);
  EXPECT_EQ(derive::icl_gaps(r).ms.size(), 31U);
  EXPECT_NEAR(derive::icl_gaps(r).ms[0], 21, 1e-9);
  EXPECT_TRUE(derive::decode_tps(r));
  EXPECT_EQ(r.concurrency, 4) << "as many as were in flight";
}

TEST(VllmBench, OfChatTheFirstChunkIsAnEventAndNoText) {
  const ImportedRun run = imported("vllm-bench-chat.json");
  const CallRecord& r = run.calls[1];
  EXPECT_FALSE(derive::ttft_ms(r));
  EXPECT_FALSE(derive::decode_tps(r));
  EXPECT_NEAR(*derive::first_delta_ms(r), 130, 1e-6);
  EXPECT_NEAR(*derive::tpot_vllm(r), 21, 1e-3);
  EXPECT_EQ(derive::icl_gaps(r).ms.size(), 30U) << "the gap behind a role chunk is none of tokens";
}

TEST(VllmBench, FailuresAreDataWithTheLastLineOfTheirTrace) {
  const ImportedRun run = imported("vllm-bench-detailed.json");
  EXPECT_EQ(count(run, Outcome::kError), 1);
  const CallRecord& r = run.calls[5];
  EXPECT_EQ(r.error, "aiohttp.ClientError: server disconnected");
  EXPECT_EQ(r.error_code, "imported");
  EXPECT_FALSE(r.completion_tokens);
}

TEST(VllmBench, TotalsAreFiguresAndNoCalls) {
  const ImportedRun run = imported("vllm-bench-totals.json");
  EXPECT_TRUE(run.calls.empty());
  EXPECT_THAT(run.meta.legs[0].skip, HasSubstr("--save-detailed"));
  ASSERT_NE(figure(run, "requests", "p99_ttft_ms"), nullptr);
  EXPECT_EQ(figure(run, "requests", "p99_ttft_ms")->value, 190);
}

TEST(VllmBench, ListsOfUnlikeLengthAreAnErrorWithTheirName) {
  std::string text = fixture("vllm-bench-detailed.json");
  const std::string list = "\"output_lens\": [32, ";
  text.replace(text.find(list), list.size(), "\"output_lens\": [");
  EXPECT_THAT(error_of(text), HasSubstr("'output_lens': it has 7 entries, 'ttfts' has 8"));
}

TEST(GuideLlm, RequestsBecomeCallsByStatus) {
  const ImportedRun run = imported("guidellm.json");
  EXPECT_EQ(count(run, Outcome::kOk), 7);
  EXPECT_EQ(count(run, Outcome::kError), 1);
  EXPECT_EQ(count(run, Outcome::kCancelled), 1);
  EXPECT_EQ(run.meta.cells[0].model, "example/Tiny-1B");
  EXPECT_EQ(run.meta.imported->version, "0.6.0");
  EXPECT_EQ(run.meta.legs[0].concurrency, 2);
  const CallRecord& r = run.calls[1];
  EXPECT_NEAR(*derive::ttft_ms(r), 102, 1e-3);
  EXPECT_NEAR(*derive::e2e_ms(r), 800, 1e-3);
  EXPECT_NEAR(*derive::tpot_guidellm(r), (102 + 620) / 32.0, 1e-3);
  EXPECT_EQ(derive::icl_gaps(r).ms.size(), 0U);
  EXPECT_TRUE(r.tokens.empty());
  EXPECT_THAT(run.meta.notes, testing::Contains(HasSubstr("7 of 9 answered requests")));
}

TEST(AiPerf, RecordsKeepTheirPhaseChunksAndFailures) {
  const ImportedRun run = imported("aiperf.jsonl", {"example/Tiny-1B", "llamacpp"});
  ASSERT_EQ(run.calls.size(), 8U);
  EXPECT_EQ(run.meta.cells[0].id, "imported:llamacpp:example/Tiny-1B");
  EXPECT_EQ(run.calls[0].phase, Phase::kWarmup);
  const CallRecord& r = run.calls[1];
  EXPECT_EQ(r.phase, Phase::kMeasure);
  EXPECT_EQ(r.at.sent, 400'000'123) << "epoch nanoseconds lose nothing";
  EXPECT_NEAR(*derive::ttft_ms(r), 111, 1e-6);
  EXPECT_NEAR(*derive::decode_tps(r), 50, 1e-6);
  EXPECT_EQ(r.token_source, TokenSource::kTokenize);
  EXPECT_EQ(run.calls[6].error_code, "http_503");
  EXPECT_EQ(run.calls[7].outcome, Outcome::kCancelled);
  EXPECT_EQ(run.calls[7].at.ended, *run.calls[7].at.sent + 100'000'000);
}

TEST(AiPerf, TotalsAreFiguresAndNoCalls) {
  const ImportedRun run = imported("aiperf-totals.json");
  EXPECT_TRUE(run.calls.empty());
  ASSERT_NE(figure(run, "requests", "request_latency p99"), nullptr);
  EXPECT_EQ(figure(run, "requests", "request_latency p99")->unit, "ms");
  EXPECT_EQ(run.meta.started_wall_ns, 1772445600'000'000'000);
}

TEST(OpenAiBatch, TellsCountsAndFailuresAndNoTimes) {
  const ImportedRun run = imported("openai-batch.jsonl");
  EXPECT_EQ(count(run, Outcome::kOk), 4);
  EXPECT_EQ(run.calls[1].finish_reason, "length");
  EXPECT_EQ(run.calls[2].completion_tokens, 9);
  EXPECT_EQ(run.calls[4].error_code, "http_429");
  EXPECT_EQ(run.calls[4].error, "Rate limit reached");
  EXPECT_EQ(run.calls[5].error_code, "imported");
  EXPECT_EQ(run.meta.cells.size(), 1U) << "a failed request belongs to the batch's model";
  EXPECT_FALSE(run.wall_s);
  EXPECT_FALSE(run.calls[0].at.sent);
}

TEST(Import, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(error_of("hello"), HasSubstr("no result that can be imported"));
  EXPECT_THAT(error_of(""), HasSubstr("no result that can be imported"));
  EXPECT_THAT(error_of("{\"custom_id\": \"a\", \"response\": null}\n{\"custom_id\""),
              HasSubstr("line 2 is cut or no JSON"));
  EXPECT_THAT(error_of("[]", "nonesuch"), HasSubstr("no import format 'nonesuch'"));
  EXPECT_THAT(error_of(R"([{"n_prompt": "many", "n_gen": 0, "avg_ts": 1}])"),
              HasSubstr("entry 1, 'n_prompt'"));
  EXPECT_THAT(error_of("[]", "llama-bench"), HasSubstr("no request and no figure"));
}

}  // namespace
}  // namespace assay
