#include "stats/stationarity.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <vector>

#include "simulation.h"

namespace assay {
namespace {

using simulation::Calls;
using simulation::Process;

/// In which share of simulated series `test` holds.
double share_of(Process process, int n, const std::function<bool(std::vector<double>)>& test) {
  const char* asked = std::getenv("ASSAY_COVERAGE_RUNS");
  const int runs = asked != nullptr ? std::max(1, std::atoi(asked)) : 400;
  int held = 0;
  for (int run = 0; run < runs; ++run) {
    Calls calls(process, static_cast<uint64_t>(1000 * run + n));
    if (test(calls.take(n))) ++held;
  }
  return static_cast<double>(held) / runs;
}

TEST(Trend, NeedsTenValues) {
  EXPECT_FALSE(find_trend(std::vector<double>(9, 1.0)));
  EXPECT_DOUBLE_EQ(find_trend(std::vector<double>(10, 1.0))->p_value, 1);
}

TEST(Trend, OfALineIsItsRise) {
  std::vector<double> values;
  for (int i = 0; i < 21; ++i) values.push_back(90 + i);
  const auto trend = find_trend(values);
  EXPECT_LT(trend->p_value, 1e-6);
  EXPECT_NEAR(trend->change, 0.2, 1e-9);
  std::vector<double> many;
  for (int i = 0; i < 3000; ++i) many.push_back(90 + i / 150.0);
  EXPECT_NEAR(find_trend(many)->change, 0.2, 0.002);
}

TEST(Trend, SeldomFindsOneWhereThereIsNone) {
  for (const auto& truth : simulation::processes()) {
    for (const int n : {10, 30, 60}) {
      const double alarms = share_of(truth.process, n, [](const std::vector<double>& values) {
        return find_trend(values)->p_value < 0.05;
      });
      fmt::print("| trend at 5 %, n {} | {} | {:.1f} % |\n", n, truth.name, 100 * alarms);
      // Ten values cannot tell a correlation of 0.6 from a trend.
      const bool blind = truth.process == Process::kAr && n == 10;
      EXPECT_LE(alarms, blind ? 0.2 : 0.1) << truth.name << " " << n;
    }
  }
}

TEST(Course, IsSeldomAFalseAlarm) {
  for (const auto& truth : simulation::processes()) {
    for (const int n : {30, 100}) {
      const double alarms = share_of(truth.process, n, [](const std::vector<double>& values) {
        return judge_course(values).course != Course::kStationary;
      });
      fmt::print("| drifting or saturated, n {} | {} | {:.1f} % |\n", n, truth.name, 100 * alarms);
      EXPECT_LE(alarms, 0.035) << truth.name << " " << n;
    }
  }
}

TEST(Course, TellsDriftFromSaturation) {
  const auto found = [](double rise, Course course) {
    return share_of(Process::kNormal, 60, [&](std::vector<double> values) {
      for (size_t i = 0; i < values.size(); ++i)
        values[i] *= 1 + rise * static_cast<double>(i) / 59;
      return judge_course(values).course == course;
    });
  };
  EXPECT_GE(found(0.5, Course::kDrifting), 0.95);
  EXPECT_GE(found(3, Course::kSaturated), 0.95);
  EXPECT_LE(found(0.5, Course::kSaturated), 0.01);
}

TEST(Course, OfFewValuesIsUnknown) {
  EXPECT_EQ(judge_course(std::vector<double>{1, 2, 3}).course, Course::kUnknown);
  EXPECT_EQ(judge_course({}).course, Course::kUnknown);
}

TEST(Mser5, CutsASlowStart) {
  Calls calls(Process::kNormal, 5);
  std::vector<double> values = calls.take(100);
  for (size_t i = 0; i < 15; ++i) values[i] *= 2;
  const int64_t cut = mser5(values);
  EXPECT_GE(cut, 15);
  EXPECT_LE(cut, 33);
  const Stationarity course = judge_course(values);
  EXPECT_EQ(course.warmup, cut);
  EXPECT_EQ(course.course, Course::kStationary);
}

TEST(Mser5, CutsNothingOfEqualOrFewValues) {
  EXPECT_EQ(mser5(std::vector<double>(100, 7.0)), 0);
  EXPECT_EQ(mser5(std::vector<double>(29, 7.0)), 0);
}

TEST(Mser5, SeldomCutsMuchOfASteadySeries) {
  const double much = share_of(
      Process::kNormal, 100, [](const std::vector<double>& values) { return mser5(values) > 25; });
  EXPECT_LE(much, 0.25);
}

}  // namespace
}  // namespace assay
