#include "stats/prefix_guard.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

LedgerContent ledger_with(Prompt::Salt salt, int64_t queries, int64_t hits) {
  LedgerContent ledger;
  ledger.meta.prompts.resize(1);
  ledger.meta.prompts[0].salt = salt;
  ledger.meta.legs.resize(1);
  ledger.meta.legs[0].prompt = 0;
  ledger.end = RunEnd();
  ServerCounters stage;
  stage.prefix_queries = queries;
  stage.prefix_hits = hits;
  stage.legs = {0};
  ledger.end->leg_counters = {stage};
  return ledger;
}

TEST(PrefixGuard, TheTemplateBeforeTheSaltIsOurOwn) {
  LedgerContent ledger = ledger_with(Prompt::Salt::kPerCall, 1000, 160);
  ledger.meta.cells.resize(1);
  ledger.meta.legs[0].cell = 0;
  ledger.meta.legs[0].calls = 10;
  ledger.meta.cells[0].prompt_overhead = 16;
  EXPECT_EQ(salted_hit_share(ledger), 0.0);
  ledger.meta.cells[0].prompt_overhead = 6;
  EXPECT_EQ(salted_hit_share(ledger), 0.1);
}

TEST(PrefixGuard, SaltedPromptsCannotHaveBeenInTheCache) {
  EXPECT_EQ(salted_hit_share(ledger_with(Prompt::Salt::kPerCall, 1000, 400)), 0.4);
  EXPECT_EQ(salted_hit_share(ledger_with(Prompt::Salt::kPerCall, 1000, 0)), 0.0);
  EXPECT_FALSE(salted_hit_share(ledger_with(Prompt::Salt::kPerLeg, 1000, 400)));
  EXPECT_FALSE(salted_hit_share(ledger_with(Prompt::Salt::kPerCall, 0, 0)));
  EXPECT_FALSE(salted_hit_share(LedgerContent()));
}

}  // namespace
}  // namespace assay
