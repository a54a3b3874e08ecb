#include "load/arrivals.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "load/load.h"
#include "stats/arrival_audit.h"

namespace assay {
namespace {

/// The calls of a schedule, each sent `late_ns` after it was due.
std::vector<CallRecord> sent_calls(const std::vector<int64_t>& due, int64_t late_ns = 0) {
  std::vector<CallRecord> calls;
  for (const int64_t at : due) {
    CallRecord r;
    r.at.due = at;
    r.at.sent = at + late_ns;
    calls.push_back(std::move(r));
  }
  return calls;
}

std::optional<ArrivalAudit> audit(const std::vector<CallRecord>& calls) {
  ArrivalLog log;
  for (const CallRecord& call : calls) log.add(call);
  return log.audit();
}

TEST(Arrivals, ConstantOnesAreEven) {
  const auto found = audit(sent_calls(arrival_times(2000, 50, Arrivals::kConstant, 1)));
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->rate, 50, 0.01);
  EXPECT_NEAR(found->variation, 0, 1e-6);
  EXPECT_LT(*found->dispersion, 0.05);
}

TEST(Arrivals, PoissonOnesHaveThePropertiesOfTheProcess) {
  const auto found = audit(sent_calls(arrival_times(20'000, 50, Arrivals::kPoisson, 7)));
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->rate, 50, 1.5);
  EXPECT_NEAR(found->variation, 1, 0.05);
  EXPECT_NEAR(*found->dispersion, 1, 0.1);
  EXPECT_NEAR(*found->lag1, 0, 0.03);
  EXPECT_EQ(found->late, 0);
}

TEST(Arrivals, ASeedGivesTheSameTimes) {
  EXPECT_EQ(arrival_times(100, 5, Arrivals::kPoisson, 3),
            arrival_times(100, 5, Arrivals::kPoisson, 3));
  EXPECT_NE(arrival_times(100, 5, Arrivals::kPoisson, 3),
            arrival_times(100, 5, Arrivals::kPoisson, 4));
}

TEST(ArrivalAudit, SeesBursts) {
  // What a client does that wakes up ten times a second and sends all that is due.
  std::vector<int64_t> due = arrival_times(2000, 50, Arrivals::kConstant, 1);
  for (int64_t& at : due) at = at / 100'000'000 * 100'000'000 + at % 1000;
  const auto found = audit(sent_calls(due));
  ASSERT_TRUE(found);
  EXPECT_GT(found->variation, 1.5);
}

TEST(ArrivalAudit, CountsLateAndDroppedCalls) {
  std::vector<CallRecord> calls =
      sent_calls(arrival_times(100, 50, Arrivals::kConstant, 1), 5'000'000);
  calls[3].at.sent.reset();
  const auto found = audit(calls);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->dropped, 1);
  EXPECT_EQ(found->late, 99);
  EXPECT_DOUBLE_EQ(found->late_p99_ms, 5);
}

TEST(ArrivalAudit, NeedsTenCalls) {
  EXPECT_FALSE(audit(sent_calls(arrival_times(9, 50, Arrivals::kConstant, 1))));
}

Task<void> record_start(std::vector<MonoNs>& starts) {
  starts.push_back(mono_now_ns());
  co_return;
}

TEST(OpenLoad, BeginsEachCallWhenItIsDue) {
  boost::asio::io_context io;
  std::vector<MonoNs> due;
  const MonoNs now = mono_now_ns();
  for (int64_t i = 0; i < 20; ++i) due.push_back(now + i * 2'000'000);
  std::vector<MonoNs> starts;
  int64_t given = 0;
  boost::asio::co_spawn(
      io,
      run_open(
          io, due, [&] { return given++; }, [&](int64_t) { return record_start(starts); }),
      [](std::exception_ptr failure) { EXPECT_FALSE(failure); });
  io.run();
  ASSERT_EQ(starts.size(), due.size());
  for (size_t i = 0; i < due.size(); ++i) EXPECT_GE(starts[i], due[i]);
}

TEST(OpenLoad, EndsEarlyWhenThereIsNoMore) {
  boost::asio::io_context io;
  std::vector<MonoNs> starts;
  int64_t given = 0;
  boost::asio::co_spawn(
      io,
      run_open(
          io, std::vector<MonoNs>(10, 0), [&]() -> int64_t { return given < 3 ? given++ : -1; },
          [&](int64_t) { return record_start(starts); }),
      [](std::exception_ptr failure) { EXPECT_FALSE(failure); });
  io.run();
  EXPECT_EQ(starts.size(), 3U);
}

}  // namespace
}  // namespace assay
