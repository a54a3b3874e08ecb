#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace assay {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::UnorderedElementsAre;

const KeptNames kKept{
    .runs =
        [] {
          return std::vector<Candidate>{{"0a1b2c3d", "speed"}, {"99887766", "speed"}};
        },
    .baselines =
        [] {
          return std::vector<Candidate>{{"nightly", "baseline"}};
        }};

Completion completed(const std::vector<std::string>& words) { return complete(words, kKept); }

std::vector<std::string> words_of(const Completion& completion) {
  std::vector<std::string> words;
  for (const Candidate& each : completion.candidates) words.push_back(each.word);
  return words;
}

std::vector<std::string> after(const std::vector<std::string>& words) {
  return words_of(completed(words));
}

TEST(Completion, OffersEveryCommandOnce) {
  std::vector<std::string> first = after({""});
  for (const Command& command : commands()) {
    EXPECT_THAT(first, Contains(std::string(command.path.substr(0, command.path.find(' ')))));
  }
  std::sort(first.begin(), first.end());
  EXPECT_EQ(std::adjacent_find(first.begin(), first.end()), first.end());
}

TEST(Completion, SaysWhatACommandIsFor) {
  const Completion found = completed({"runs"});
  ASSERT_EQ(found.candidates.size(), 1U);
  EXPECT_THAT(found.candidates[0].help, testing::StartsWith("list, show, "));
  EXPECT_FALSE(completed({"compare"}).candidates[0].help.empty());
}

TEST(Completion, OffersTheSecondWordsOfAGroup) {
  EXPECT_THAT(after({"runs", ""}), IsSupersetOf({"list", "show", "rm", "reindex"}));
  EXPECT_THAT(after({"runs", "r"}), ElementsAre("rm", "reindex"));
}

TEST(Completion, OffersTheFlagsOfTheCommandAndThoseOfAll) {
  EXPECT_THAT(after({"run", "--"}),
              IsSupersetOf({"--target", "--budget", "--color", "--config", "--help"}));
  EXPECT_THAT(after({"runs", "list", "--"}), Not(Contains("--target")));
  EXPECT_THAT(after({"runs", "list", "--"}), IsSupersetOf({"--limit", "--json"}));
  EXPECT_THAT(after({"--v"}), ElementsAre("--version"));
}

TEST(Completion, OffersAFlagAgainOnlyIfItMayBeRepeated) {
  EXPECT_THAT(after({"run", "--budget", "9s", "--bud"}), IsEmpty());
  EXPECT_THAT(after({"run", "--output", "a.md", "--outp"}),
              UnorderedElementsAre("--output", "--output-len"));
}

TEST(Completion, OffersTheWordsThatAFlagTakes) {
  EXPECT_THAT(after({"run", "--color", ""}), ElementsAre("auto", "always", "never"));
  EXPECT_THAT(after({"run", "--color", "a"}), ElementsAre("auto", "always"));
  EXPECT_THAT(after({"run", "--arrivals", "p"}), ElementsAre("poisson"));
  EXPECT_THAT(after({"mock-server", "--usage", ""}), ElementsAre("on", "off"));
  EXPECT_THAT(after({"run", "--max-tokens", ""}), IsEmpty());
}

TEST(Completion, OffersThemBehindAnEqualsSignToo) {
  EXPECT_THAT(after({"run", "--color=n"}), ElementsAre("--color=never"));
  EXPECT_THAT(after({"run", "--nothing=n"}), IsEmpty());
}

TEST(Completion, OffersValuesOfListsElsewhere) {
  EXPECT_THAT(after({"run", "--engine", "o"}), ElementsAre("ollama", "openai"));
  EXPECT_THAT(after({"mock-server", "--flavor", ""}), Contains("all"));
  EXPECT_THAT(after({"report", "--format", "v"}), ElementsAre("v1-baseline"));
  EXPECT_THAT(after({"import", "--format", "vllm"}), ElementsAre("vllm-bench"));
  EXPECT_THAT(after({"explain", "ttft"}), Contains("ttft_ms"));
  EXPECT_THAT(after({"help", "exit"}), ElementsAre("exit-codes"));
  EXPECT_THAT(after({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
}

TEST(Completion, OffersQuantisationsOnceAShapeStandsThere) {
  EXPECT_THAT(after({"run", "--shape", "llama-3.2-1"}), ElementsAre("llama-3.2-1b"));
  EXPECT_THAT(after({"dummy-model", "--shape", "llama-3.2-1b:q8"}),
              ElementsAre("llama-3.2-1b:q8_0"));
}

TEST(Completion, KnowsTheRunsThatAreKept) {
  EXPECT_THAT(after({"report", ""}), ElementsAre("last", "nightly", "0a1b2c3d", "99887766"));
  EXPECT_THAT(after({"report", "last", "--against", "9"}), ElementsAre("99887766"));
  EXPECT_THAT(after({"compare", "last", "n"}), ElementsAre("nightly"));
  EXPECT_THAT(after({"baseline", "rm", ""}), ElementsAre("nightly"));
}

TEST(Completion, LeavesTheDataDirectoryAloneOtherwise) {
  const KeptNames none;  // To call one of these would throw.
  const std::vector<std::string> line{"run", "--color", ""};
  EXPECT_EQ(complete(line, none).candidates.size(), 3U);
}

TEST(Completion, LeavesPathsToTheShell) {
  EXPECT_EQ(completed({"run", "--gguf", "mod"}).paths, Completion::Paths::kFiles);
  EXPECT_EQ(completed({"report", "last", "-o", ""}).paths, Completion::Paths::kFiles);
  EXPECT_EQ(completed({"import", "x"}).paths, Completion::Paths::kFiles);
  EXPECT_EQ(completed({"run", "--data-dir=x"}).paths, Completion::Paths::kDirectories);
  EXPECT_EQ(completed({"run", "--budget", ""}).paths, Completion::Paths::kNone);
}

TEST(Completion, OffersNamesAndFilesWhereBothFit) {
  const Completion found = completed({"run", "--suite", ""});
  EXPECT_EQ(found.paths, Completion::Paths::kFiles);
  EXPECT_THAT(words_of(found), Contains("speed"));
}

TEST(Completion, TakesAValueForNoCommand) {
  EXPECT_THAT(after({"--data-dir", "runs", "sui"}), ElementsAre("suites"));
  EXPECT_THAT(after({"run", "--prompt", "report", "--arr"}), ElementsAre("--arrivals"));
}

TEST(Completion, OffersNoFlagsBehindTheirEnd) {
  EXPECT_THAT(after({"compare", "--", "-"}), IsEmpty());
  EXPECT_THAT(after({"compare", "--", "la"}), ElementsAre("last"));
}

TEST(Completion, OffersFlagsWhereNothingElseFits) {
  EXPECT_THAT(after({"runs", "list", ""}), Contains("--limit"));
  EXPECT_THAT(after({"runs", "list", "x"}), IsEmpty());
}

TEST(Completion, HasNothingForWhatItDoesNotKnow) {
  EXPECT_THAT(after({"nonsense", ""}), IsEmpty());
  EXPECT_THAT(after({"runs", "nonsense", "--"}), IsEmpty());
  EXPECT_THAT(after({}), IsEmpty());
  EXPECT_THAT(after({"runs", "show", "last", "more"}), IsEmpty());
}

TEST(Completion, HasAScriptForEachShell) {
  for (const std::string_view shell : completion_shells()) {
    EXPECT_NE(completion_script(shell).find("completion words -- "), std::string_view::npos);
  }
  EXPECT_TRUE(completion_script("tcsh").empty());
}

}  // namespace
}  // namespace assay
