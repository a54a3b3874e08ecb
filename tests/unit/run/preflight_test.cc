#include "run/preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kHourNs = 3'600'000'000'000;

Cell cell(const std::string& id) {
  Cell c;
  c.id = id;
  c.version = "1.0";
  c.digest = "d";
  c.max_rate = 1;
  return c;
}

/// Facts with which everything holds.
PreflightFacts good_facts() {
  PreflightFacts facts;
  facts.harness = true;
  TreeState tree;
  tree.sha = std::string(40, 'a');
  tree.dirty = false;
  facts.trees = {tree};
  facts.load_averages = {0.1, 0.1, 0.1};
  facts.cores = 8;
  facts.wall_ns = 3 * kHourNs;
  facts.harness_version = "1";
  facts.cells = {cell("a:ollama:m")};
  return facts;
}

const PreflightCheck* find(const Preflight& preflight, std::string_view name) {
  for (const PreflightCheck& check : preflight.checks) {
    if (check.name == name) return &check;
  }
  return nullptr;
}

std::vector<std::string> failed(const Preflight& preflight) {
  std::vector<std::string> names;
  for (const PreflightCheck& check : preflight.checks) {
    if (!check.ok) names.push_back(check.name);
  }
  return names;
}

TEST(Preflight, HoldsWhenEverythingDoes) {
  RunSpec spec;
  spec.for_publication = true;
  const Preflight preflight = check_preflight(good_facts(), spec);
  EXPECT_THAT(failed(preflight), IsEmpty());
  EXPECT_THAT(preflight.refusals, IsEmpty());
  for (const char* name :
       {"git_sha", "git_clean", "harness_version", "load_average", "one_harness", "window",
        "call_rate", "cells_available", "engine_version", "model_digest"}) {
    EXPECT_NE(find(preflight, name), nullptr) << name;
  }
}

TEST(Preflight, ADirtyTreeRefusesAndNamesItsFiles) {
  PreflightFacts facts = good_facts();
  facts.trees[0].dirty = true;
  facts.trees[0].changes = {" M cells.yaml", "?? notes"};
  RunSpec spec;
  ASSERT_EQ(check_preflight(facts, spec).refusals.size(), 1U);
  EXPECT_THAT(check_preflight(facts, spec).refusals[0], HasSubstr(" M cells.yaml, ?? notes"));
  spec.allow_dirty = "a new cell is tried";
  const Preflight allowed = check_preflight(facts, spec);
  EXPECT_THAT(allowed.refusals, IsEmpty());
  EXPECT_TRUE(find(allowed, "git_clean")->ok);
  EXPECT_THAT(find(allowed, "git_clean")->detail, HasSubstr("--allow-dirty: a new cell is tried"));
}

TEST(Preflight, TheLoadLimitIsTheLowerOfFourAndHalfACore) {
  EXPECT_FALSE(is_busy({4.0}, 64));
  EXPECT_TRUE(is_busy({4.01}, 64));
  EXPECT_FALSE(is_busy({1.0}, 2));
  EXPECT_TRUE(is_busy({1.01}, 2));
  EXPECT_FALSE(is_busy({}, 2));
}

TEST(Preflight, ForcedLoadBeginsAndStaysFailed) {
  PreflightFacts facts = good_facts();
  facts.load_averages = {5, 1, 1};
  RunSpec spec;
  EXPECT_EQ(check_preflight(facts, spec).refusals.size(), 1U);
  spec.force_load = true;
  const Preflight forced = check_preflight(facts, spec);
  EXPECT_THAT(forced.refusals, IsEmpty());
  EXPECT_THAT(failed(forced), ElementsAre("load_average"));
}

TEST(Preflight, OutsideOfAWindowOnlyWithAReason) {
  PreflightFacts facts = good_facts();
  facts.cells[0].windows = {*parse_window("02:00-05:00")};
  RunSpec spec;
  EXPECT_THAT(check_preflight(facts, spec).refusals, IsEmpty());
  facts.wall_ns = 5 * kHourNs;
  ASSERT_EQ(check_preflight(facts, spec).refusals.size(), 1U);
  EXPECT_THAT(check_preflight(facts, spec).refusals[0], HasSubstr("05:00Z is outside"));
  spec.override_window = "agreed with the owner";
  const Preflight overridden = check_preflight(facts, spec);
  EXPECT_THAT(overridden.refusals, IsEmpty());
  EXPECT_THAT(find(overridden, "window")->detail, HasSubstr("agreed with the owner"));
}

TEST(Preflight, AnotherDigestOrVersionThanTheFilesIsAFailedCheck) {
  PreflightFacts facts = good_facts();
  DeclaredCell declared;
  declared.cell.id = "a:ollama:m";
  declared.digest = "e";
  declared.version = "1.0";
  facts.declared = {declared};
  const Preflight preflight = check_preflight(facts, RunSpec());
  EXPECT_THAT(failed(preflight), ElementsAre("model_digest_match"));
  EXPECT_THAT(preflight.refusals, IsEmpty());
}

TEST(Preflight, ADigestIsTheSameWithAndWithoutItsKind) {
  PreflightFacts facts = good_facts();
  DeclaredCell declared;
  declared.cell.id = "a:ollama:m";
  declared.digest = "sha256:d";
  facts.declared = {declared};
  EXPECT_THAT(failed(check_preflight(facts, RunSpec())), IsEmpty());
}

TEST(Preflight, ARouterNeedsNoIdentityOfItsOwn) {
  PreflightFacts facts = good_facts();
  Cell routed = cell("a+routed:ollama:m");
  routed.routed_from = "a:ollama:m";
  routed.version.clear();
  routed.digest.clear();
  facts.cells.push_back(routed);
  EXPECT_THAT(failed(check_preflight(facts, RunSpec())), IsEmpty());
}

TEST(Preflight, WhatNobodyKnowsIsAMissingIdentity) {
  PreflightFacts facts = good_facts();
  facts.trees = {TreeState()};
  facts.cells[0].digest.clear();
  const Preflight preflight = check_preflight(facts, RunSpec());
  EXPECT_THAT(failed(preflight), ElementsAre("git_sha", "model_digest"));
  EXPECT_TRUE(find(preflight, "git_sha")->identity);
  EXPECT_TRUE(find(preflight, "model_digest")->identity);
}

TEST(Preflight, ForPublicationTellsEveryFailure) {
  PreflightFacts facts = good_facts();
  facts.trees[0].dirty = true;
  facts.trees[0].changes = {" M a"};
  facts.load_averages = {9, 9, 9};
  facts.cells[0].version.clear();
  facts.cells.push_back(cell("b:ollama:m"));
  facts.cells[1].unavailable = "unreachable";
  RunSpec spec;
  spec.for_publication = true;
  const Preflight preflight = check_preflight(facts, spec);
  const std::string all = testing::PrintToString(preflight.refusals);
  EXPECT_EQ(preflight.refusals.size(), 4U) << all;
  for (const char* name : {"git_clean:", "load_average:", "engine_version:", "cells_available:"}) {
    EXPECT_THAT(all, HasSubstr(name));
  }
}

TEST(Preflight, ACellThatItsOwnerTookOutFailsNothing) {
  PreflightFacts facts = good_facts();
  facts.cells[0].unavailable = "pending";
  DeclaredCell declared;
  declared.cell = facts.cells[0];
  facts.declared = {declared};
  EXPECT_TRUE(find(check_preflight(facts, RunSpec()), "cells_available")->ok);
}

TEST(Preflight, WithoutAFileOfCellsNothingIsRefusedOrDecides) {
  PreflightFacts facts = good_facts();
  facts.harness = false;
  facts.trees[0].dirty = true;
  facts.trees[0].changes = {" M a"};
  facts.load_averages = {9, 9, 9};
  const Preflight preflight = check_preflight(facts, RunSpec());
  EXPECT_THAT(preflight.refusals, IsEmpty());
  for (const PreflightCheck& check : preflight.checks) EXPECT_FALSE(check.decides) << check.name;
}

TEST(WaitForQuiet, EndsWithTheFirstQuietSecond) {
  std::vector<double> loads{3, 3, 2.1, 0.5};
  size_t at = 0;
  int slept = 0;
  std::vector<std::string> told;
  const auto last = wait_for_quiet([&] { return std::vector<double>{loads[at++]}; }, 4,
                                   [&] { return ++slept > 0; },
                                   [&](const std::string& line) { told.push_back(line); });
  EXPECT_THAT(last, ElementsAre(0.5));
  EXPECT_EQ(slept, 3);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0], HasSubstr("load average 3.00, limit 2.0; waiting 120 s"));
}

TEST(WaitForQuiet, GivesUpAfterTwoMinutes) {
  int slept = 0;
  std::vector<std::string> told;
  const auto last =
      wait_for_quiet([] { return std::vector<double>{8}; }, 4, [&] { return ++slept > 0; },
                     [&](const std::string& line) { told.push_back(line); });
  EXPECT_THAT(last, ElementsAre(8));
  EXPECT_EQ(slept, kMaxLoadWaitS);
  EXPECT_EQ(told.size(), 4U);
}

TEST(DayWindow, EndsAreLeftOutAndMidnightIsCrossed) {
  const std::vector<DayWindow> night{*parse_window("23:00-00:30")};
  EXPECT_FALSE(in_windows(night, 23 * kHourNs - 1));
  EXPECT_TRUE(in_windows(night, 23 * kHourNs));
  EXPECT_TRUE(in_windows(night, 24 * kHourNs));
  EXPECT_FALSE(in_windows(night, 24 * kHourNs + kHourNs / 2));
  EXPECT_TRUE(in_windows({}, 0));
  for (const char* bad : {"", "02:00", "2:00-5:00", "02:00-02:00", "25:00-26:00", "02:60-03:00"}) {
    EXPECT_FALSE(parse_window(bad)) << bad;
  }
  EXPECT_TRUE(parse_window("22:00-24:00"));
}

}  // namespace
}  // namespace assay
