#include "run/planned_call.h"

#include <gtest/gtest.h>

#include <set>

#include "../stats/synthetic.h"

namespace assay {
namespace {

/// Three calls of one leg whose prompt is salted like that.
RunMeta plan_of(Prompt::Salt salt) {
  synthetic::Builder b("prompt");
  const int64_t leg = b.leg(b.cell("m"), b.prompt("p"));
  b.ledger.meta.prompts[0].text = "hello";
  b.ledger.meta.prompts[0].salt = salt;
  b.add_ok(leg, 3, {});
  return b.ledger.meta;
}

TEST(PlannedCall, WarmingSharesNoPrefixWithCallsThatShareNone) {
  const RunMeta meta = plan_of(Prompt::Salt::kPerCall);
  std::set<std::string> texts;
  for (int64_t i = 0; i < 3; ++i) {
    texts.insert(prompt_text(meta, i));
    texts.insert(warming_text(meta, 1, i));
  }
  EXPECT_EQ(texts.size(), 6U);
}

TEST(PlannedCall, WarmingAsksWhatIsAskedWherePrefixesAreShared) {
  for (const Prompt::Salt salt : {Prompt::Salt::kNone, Prompt::Salt::kPerLeg}) {
    const RunMeta meta = plan_of(salt);
    EXPECT_EQ(warming_text(meta, 1, 0), prompt_text(meta, 1));
  }
}

}  // namespace
}  // namespace assay
