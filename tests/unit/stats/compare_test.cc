#include "stats/compare.h"

#include <gtest/gtest.h>

#include "synthetic.h"

namespace assay {
namespace {

using synthetic::Builder;
using synthetic::CallShape;

/// A run with the legs that comparisons look at.
struct Side {
  explicit Side(Builder builder)
      : ledger(std::move(builder.ledger)), legs(group_legs(ledger).legs) {}
  [[nodiscard]] ComparedRun side() const { return {&ledger.meta, &legs}; }

  LedgerContent ledger;
  std::vector<LegResult> legs;
};

Side prompt_run(CallShape shape, int64_t calls = 10, const char* model = "m") {
  Builder b("prompt");
  b.add_ok(b.leg(b.cell(model), b.prompt("p")), calls, shape);
  return Side(std::move(b));
}

const ComparedMetric* find(const ComparedCell& cell, std::string_view metric,
                           std::optional<Prefix> prefix = std::nullopt) {
  for (const ComparedMetric& row : cell.metrics) {
    if (row.metric->name == metric && (!prefix || row.prefix == prefix)) return &row;
  }
  return nullptr;
}

TEST(CompareRuns, ARunAgainstItselfIsTheSame) {
  const Side run = prompt_run({});
  const RunComparison c = compare_runs(run.side(), run.side(), {});
  ASSERT_EQ(c.cells.size(), 1U);
  EXPECT_EQ(c.count(Verdict::kBetter) + c.count(Verdict::kWorse), 0);
  EXPECT_EQ(find(c.cells[0], "e2e_ms")->verdict, Verdict::kSame);
  EXPECT_TRUE(c.differs.empty());
  EXPECT_FALSE(c.regressed());
}

TEST(CompareRuns, ASlowerFirstTokenIsWorseAndFails) {
  const Side base = prompt_run({.ttft_ms = 100});
  const Side now = prompt_run({.ttft_ms = 130});
  const RunComparison c = compare_runs(base.side(), now.side(), {});
  const ComparedMetric* ttft = find(c.cells[0], "ttft_ms");
  ASSERT_NE(ttft, nullptr);
  EXPECT_EQ(ttft->verdict, Verdict::kWorse);
  EXPECT_NEAR(ttft->now / ttft->base, 1.3, 1e-6);
  EXPECT_TRUE(is_regression(*ttft));
  EXPECT_TRUE(c.regressed());
  EXPECT_EQ(find(compare_runs(now.side(), base.side(), {}).cells[0], "ttft_ms")->verdict,
            Verdict::kBetter);
}

TEST(CompareRuns, ANoiseFloorKeepsItFromBeingWorse) {
  const Side base = prompt_run({.ttft_ms = 100});
  const Side now = prompt_run({.ttft_ms = 130});
  CompareOptions options;
  options.floor = [](std::string_view cell, std::string_view metric) -> std::optional<double> {
    EXPECT_EQ(cell, "local:llamacpp:m");
    return metric == "ttft_ms" ? std::optional(0.2) : std::nullopt;
  };
  const RunComparison c = compare_runs(base.side(), now.side(), options);
  EXPECT_EQ(find(c.cells[0], "ttft_ms")->verdict, Verdict::kUnclear);
  EXPECT_EQ(find(c.cells[0], "ttft_ms")->noise_floor, 0.2);
}

TEST(CompareRuns, FreshAndReusedPromptsAreRowsOfTheirOwn) {
  const auto run = [](double fresh, double reused) {
    Builder b("prompt");
    const int64_t leg = b.leg(b.cell("m"), b.prompt("p"));
    b.add_ok(leg, 6, {.ttft_ms = fresh, .cached = 0}, 0.005);
    b.add_ok(leg, 6, {.ttft_ms = reused, .cached = 18}, 0.005);
    return Side(std::move(b));
  };
  const Side base = run(500, 50);
  const Side now = run(500, 80);
  const RunComparison c = compare_runs(base.side(), now.side(), {});
  EXPECT_EQ(find(c.cells[0], "ttft_ms", Prefix::kFresh)->verdict, Verdict::kSame);
  EXPECT_EQ(find(c.cells[0], "ttft_ms", Prefix::kReused)->verdict, Verdict::kWorse);
}

TEST(CompareRuns, PromptsAreStrata) {
  const auto run = [](double slow) {
    Builder b("prompt");
    const int64_t cell = b.cell("m");
    b.add_ok(b.leg(cell, b.prompt("short")), 8, {.ttft_ms = 10});
    b.add_ok(b.leg(cell, b.prompt("long")), 4, {.ttft_ms = slow});
    return Side(std::move(b));
  };
  const Side base = run(1000);
  const Side now = run(1210);
  const RunComparison c = compare_runs(base.side(), now.side(), {});
  const ComparedMetric* ttft = find(c.cells[0], "ttft_ms");
  ASSERT_EQ(ttft->strata.size(), 2U);
  // Half of the prompts 21 % slower: the geometric mean is 10 % up, however many calls each has.
  EXPECT_NEAR(ttft->now / ttft->base, 1.1, 0.001);
}

TEST(CompareRuns, DifferentTextsUnderOneNameAreNotCompared) {
  Side base = prompt_run({});
  Side now = prompt_run({});
  base.ledger.meta.prompts[0].sha256 = "aa";
  now.ledger.meta.prompts[0].sha256 = "bb";
  const RunComparison c = compare_runs(base.side(), now.side(), {});
  EXPECT_FALSE(c.cells[0].not_comparable.empty());
  EXPECT_TRUE(c.cells[0].metrics.empty());
}

TEST(CompareRuns, TheOnlyCellsBelongTogetherAndSayHowTheyDiffer) {
  const Side base = prompt_run({}, 10, "m-q4");
  const Side now = prompt_run({}, 10, "m-q8");
  const RunComparison c = compare_runs(base.side(), now.side(), {});
  ASSERT_EQ(c.cells.size(), 1U);
  EXPECT_FALSE(c.cells[0].metrics.empty());
  ASSERT_EQ(c.differs.size(), 1U);
  EXPECT_EQ(c.differs[0].name, "cell");
  EXPECT_EQ(c.differs[0].now, "local:llamacpp:m-q8");
}

TEST(CompareRuns, ACellThatOneRunLacksIsARow) {
  Builder two("prompt");
  const int64_t prompt = two.prompt("p");
  two.add_ok(two.leg(two.cell("a"), prompt), 5, {});
  two.add_ok(two.leg(two.cell("b"), prompt), 5, {});
  const Side base(std::move(two));
  const Side now = prompt_run({}, 5, "a");
  const RunComparison c = compare_runs(base.side(), now.side(), {});
  ASSERT_EQ(c.cells.size(), 2U);
  EXPECT_TRUE(c.cells[0].not_comparable.empty());
  EXPECT_EQ(c.cells[1].base_id, "local:llamacpp:b");
  EXPECT_EQ(c.cells[1].not_comparable, "only the base has this cell");
}

TEST(CompareRuns, AllCallsFailedIsNotComparable) {
  const Side base = prompt_run({});
  Builder b("prompt");
  const int64_t leg = b.leg(b.cell("m"), b.prompt("p"));
  for (int i = 0; i < 4; ++i) b.add(leg, synthetic::failed_call(i, "gone"));
  const Side now(std::move(b));
  const RunComparison c = compare_runs(base.side(), now.side(), {});
  EXPECT_EQ(c.cells[0].not_comparable, "new has no answered call");
  EXPECT_EQ(c.cells[0].new_success.share(), 0.0);
}

TEST(CompareRuns, TheRestartIsTheUnitFromThreeOn) {
  const auto run = [](double ttft) {
    Builder b("prompt");
    const int64_t leg = b.leg(b.cell("m"), b.prompt("p"));
    for (int restart = 0; restart < 3; ++restart) {
      for (int i = 0; i < 5; ++i) {
        // Within a restart calls agree; restarts do not.
        b.add(leg, synthetic::ok_call(restart * 1e4 + i * 1e3, {.ttft_ms = ttft + 10.0 * restart}))
            .restart = restart;
      }
    }
    return Side(std::move(b));
  };
  const Side base = run(100);
  const Side now = run(105);
  const RunComparison c = compare_runs(base.side(), now.side(), {});
  EXPECT_TRUE(c.cells[0].by_restart);
  const ComparedMetric* ttft = find(c.cells[0], "ttft_ms");
  EXPECT_EQ(ttft->difference->base_n, 3);
  EXPECT_EQ(ttft->verdict, Verdict::kUnclear);
}

TEST(CompareRuns, WarnsWhereARoleChunkComesLongBeforeTheText) {
  // Synthetic answers begin with a role chunk at half of their TTFT.
  const Side run = prompt_run({});
  const RunComparison c = compare_runs(run.side(), run.side(), {});
  ASSERT_EQ(c.cells[0].warnings.size(), 1U);
  EXPECT_NE(c.cells[0].warnings[0].find("role chunk"), std::string::npos);
}

/// Two variants measured side by side while the machine slows down steadily.
Side drifting_variants(double second_is_slower) {
  Builder b("prompt");
  const int64_t first = b.leg(b.cell("a"), b.prompt("p"));
  const int64_t second = b.leg(b.cell("b"), b.prompt("p"));
  b.ledger.meta.cells[0].variant = "a";
  b.ledger.meta.cells[1].variant = "b";
  double at = 0;
  for (int i = 0; i < 12; ++i) {
    const double drift = 1 + 0.05 * i;
    const double noise = 1 + 0.002 * (i % 3);
    b.add(first, synthetic::ok_call(at, {.ttft_ms = 100 * drift, .gap_ms = 20 * drift}));
    b.add(second, synthetic::ok_call(at + 2000, {.ttft_ms = 100 * drift * noise * second_is_slower,
                                                 .gap_ms = 20 * drift * noise * second_is_slower}));
    at += 4000;
  }
  return Side(std::move(b));
}

TEST(CompareVariants, SeesThroughADriftThatHitsBoth) {
  const Side run = drifting_variants(1.05);
  const RunComparison c = compare_variants(run.side(), {});
  ASSERT_EQ(c.cells.size(), 1U);
  EXPECT_TRUE(c.cells[0].interleaved);
  const ComparedMetric* e2e = find(c.cells[0], "e2e_ms");
  ASSERT_NE(e2e, nullptr);
  EXPECT_EQ(e2e->verdict, Verdict::kWorse);
  EXPECT_LT(e2e->difference->ci95().high - e2e->difference->ci95().low, 0.01);
  // Unpaired, the drift would hide it.
  EXPECT_GT(
      difference_between(run.legs[0].find("e2e_ms")->values, run.legs[1].find("e2e_ms")->values)
          ->standard_error,
      10 * e2e->difference->standard_error);
}

TEST(CompareVariants, FindsNoDifferenceWhereThereIsNone) {
  EXPECT_EQ(find(compare_variants(drifting_variants(1).side(), {}).cells[0], "e2e_ms")->verdict,
            Verdict::kSame);
}

TEST(CompareVariants, LeavesOutRepetitionsThatOnlyOneSideAnswered) {
  Side run = drifting_variants(1.05);
  for (CallRecord& r : run.ledger.calls) {
    if (r.leg == 0 && r.run_idx == 3) r.outcome = Outcome::kError;
  }
  run.legs = group_legs(run.ledger).legs;
  const RunComparison c = compare_variants(run.side(), {});
  EXPECT_EQ(find(c.cells[0], "e2e_ms")->difference->base_n, 11);
}

}  // namespace
}  // namespace assay
