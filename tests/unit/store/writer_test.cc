#include "store/writer.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <future>
#include <optional>
#include <thread>

#include "base/text.h"
#include "fault_calls.h"
#include "store/events.h"
#include "store_test_support.h"

namespace assay {
namespace {

using namespace std::chrono_literals;
using std::filesystem::path;

constexpr Nanos kLong = 20s;

LedgerFile new_ledger(const TempDir& dir, const FileCalls& calls = kSystemFileCalls) {
  auto ledger = LedgerFile::create(dir.path() / "run.jsonl", calls);
  EXPECT_TRUE(ledger) << ledger.error().message;
  return std::move(*ledger);
}

LedgerContent content_of(const TempDir& dir) {
  auto content = read_ledger(dir.path() / "run.jsonl");
  EXPECT_TRUE(content) << content.error().message;
  return content ? std::move(*content) : LedgerContent{};
}

TEST(RunWriter, KeepsTheOrderAndAcknowledgesEveryRecord) {
  const TempDir dir;
  RunWriter writer(new_ledger(dir), {});
  ASSERT_TRUE(writer.ledger_line(meta_line(sample_meta(500))));
  for (int64_t i = 0; i < 500; ++i) ASSERT_TRUE(writer.record(sample_call(i)));
  const auto flushed = writer.flush(kLong);
  ASSERT_TRUE(flushed) << flushed.error().message;
  EXPECT_EQ(writer.acknowledged(), 500);
  EXPECT_EQ(indices(content_of(dir).calls), counting(500));
  ASSERT_TRUE(writer.ledger_line(end_line(RunEnd{.state = "completed"})));
  EXPECT_TRUE(writer.stop());
  EXPECT_TRUE(writer.stop());
  EXPECT_FALSE(writer.record(sample_call(0)));
  EXPECT_EQ(content_of(dir).end->state, "completed");
}

TEST(RunWriter, TakesEntriesFromSeveralThreads) {
  const TempDir dir;
  RunWriter writer(new_ledger(dir), {});
  ASSERT_TRUE(writer.ledger_line(meta_line(sample_meta(400))));
  std::vector<std::thread> threads;
  for (int64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&writer, t] {
      for (int64_t i = 0; i < 100; ++i) EXPECT_TRUE(writer.record(sample_call(t * 100 + i)));
      EXPECT_TRUE(writer.flush(kLong));
      EXPECT_GE(writer.acknowledged(), 100);
    });
  }
  for (std::thread& thread : threads) thread.join();
  auto numbers = indices(content_of(dir).calls);
  std::sort(numbers.begin(), numbers.end());
  EXPECT_EQ(numbers, counting(400));
}

TEST(RunWriter, OneSyncServesEverythingQueuedDuringTheOneBefore) {
  const TempDir dir;
  FaultCalls::reset();
  RunWriter writer(new_ledger(dir, kFaultCalls), {.gather = 0ms});
  FaultCalls::close_gate();
  ASSERT_TRUE(writer.record(sample_call(0)));
  FaultCalls::wait_at_gate();
  for (int64_t i = 1; i < 500; ++i) ASSERT_TRUE(writer.record(sample_call(i)));
  EXPECT_EQ(writer.acknowledged(), 0);
  FaultCalls::open_gate();
  ASSERT_TRUE(writer.flush(kLong));
  EXPECT_EQ(writer.acknowledged(), 500);
  EXPECT_EQ(FaultCalls::syncs, 2);
  EXPECT_EQ(FaultCalls::writes, 2);
}

TEST(RunWriter, CommitsByItselfSoonAfterAnEntry) {
  EXPECT_LE(WriterOptions().gather, 25ms);  // Leaves as much again for the disk within 50 ms.
  const TempDir dir;
  FaultCalls::reset();
  std::promise<int64_t> durable;
  RunWriter writer(new_ledger(dir, kFaultCalls),
                   {.on_durable = [&](int64_t count) { durable.set_value(count); }});
  ASSERT_TRUE(writer.record(sample_call(0)));
  auto count = durable.get_future();
  ASSERT_EQ(count.wait_for(20s), std::future_status::ready);
  EXPECT_EQ(count.get(), 1);
  EXPECT_EQ(FaultCalls::syncs, 1);
}

TEST(RunWriter, FlushDoesNotWaitForCompany) {
  const TempDir dir;
  FaultCalls::reset();
  RunWriter writer(new_ledger(dir, kFaultCalls), {.gather = 60s});
  for (int64_t i = 0; i < 100; ++i) ASSERT_TRUE(writer.record(sample_call(i)));
  ASSERT_TRUE(writer.flush(kLong));
  EXPECT_EQ(writer.acknowledged(), 100);
  EXPECT_EQ(FaultCalls::syncs, 1);
}

TEST(RunWriter, FlushSaysWhenItsTimeRanOut) {
  const TempDir dir;
  FaultCalls::reset();
  RunWriter writer(new_ledger(dir, kFaultCalls), {.gather = 0ms});
  FaultCalls::close_gate();
  ASSERT_TRUE(writer.record(sample_call(0)));
  FaultCalls::wait_at_gate();
  EXPECT_EQ(writer.flush(1ms).error().code, Errc::kTimeout);
  FaultCalls::open_gate();
  EXPECT_TRUE(writer.flush(kLong));
}

TEST(RunWriter, AFullQueueRefusesAtOnce) {
  const TempDir dir;
  FaultCalls::reset();
  RunWriter writer(new_ledger(dir, kFaultCalls), {.queue_entries = 3, .gather = 0ms});
  FaultCalls::close_gate();
  ASSERT_TRUE(writer.record(sample_call(0)));
  FaultCalls::wait_at_gate();
  for (int64_t i = 1; i <= 3; ++i) EXPECT_TRUE(writer.record(sample_call(i)));
  EXPECT_FALSE(writer.record(sample_call(4)));
  FaultCalls::open_gate();
  EXPECT_TRUE(writer.stop());
  EXPECT_EQ(writer.acknowledged(), 4);
}

TEST(RunWriter, WritesTheOtherFilesBesideTheLedgerOnFirstUse) {
  const TempDir dir;
  RunWriter writer(new_ledger(dir), {});
  ASSERT_TRUE(writer.ledger_line(meta_line(sample_meta(1))));
  ASSERT_TRUE(writer.flush(kLong));
  EXPECT_FALSE(std::filesystem::exists(dir.path() / "responses.jsonl"));
  EventLines events(kRunId);
  ASSERT_TRUE(writer.event(events.next("stage", R"({"stage":"warm"})")));
  ASSERT_TRUE(writer.response({.index = 4, .attempt = 2, .text = "h\"i\n\xff"}));
  ASSERT_TRUE(writer.log("two\nlines \x1b[31mred"));
  ASSERT_TRUE(writer.flush(kLong));
  EXPECT_EQ(slurp(dir.path() / "events.jsonl"),
            std::string(R"({"id":")") + kRunId + R"(-1","event":"stage","data":{"stage":"warm"}})" +
                "\n");
  EXPECT_EQ(slurp(dir.path() / "responses.jsonl"),
            "{\"index\":4,\"attempt\":2,\"text\":\"h\\\"i\\n\xef\xbf\xbd\",\"truncated\":false}\n");
  const std::string log = slurp(dir.path() / "run.log");
  ASSERT_GT(log.size(), 26U);
  EXPECT_EQ(log.substr(23, 2), "Z ");
  EXPECT_EQ(log.substr(25), "two lines [31mred\n");
}

TEST(RunWriter, GoesOnWithTheOtherFilesAfterAResumeWithoutTheirTornTails) {
  const TempDir dir;
  spill(dir.path() / "events.jsonl", "{\"id\":\"r-7\"}\n{\"id\":\"r-");
  spill(dir.path() / "run.jsonl", meta_line(sample_meta(1)) + "\n");
  auto resumed = LedgerFile::open_for_resume(dir.path() / "run.jsonl");
  ASSERT_TRUE(resumed);
  RunWriter writer(std::move(resumed->file), {});
  EventLines events("r", last_event_seq(dir.path() / "events.jsonl").value());
  ASSERT_TRUE(writer.event(events.next("run", "")));
  ASSERT_TRUE(writer.stop());
  EXPECT_EQ(slurp(dir.path() / "events.jsonl"),
            "{\"id\":\"r-7\"}\n{\"id\":\"r-8\",\"event\":\"run\",\"data\":{}}\n");
}

TEST(ResponseLine, IsCutAtACharacterAndReadBack) {
  const std::string euros = [] {
    std::string text;
    while (text.size() <= kMaxResponseBytes) text += "\xe2\x82\xac";
    return text;
  }();
  const TempDir dir;
  spill(dir.path() / "r", response_line({.index = 1, .text = euros}) + "\n{\"torn");
  const auto back = read_responses(dir.path() / "r");
  ASSERT_EQ(back->size(), 1U);
  EXPECT_EQ(back->front().text.size(), kMaxResponseBytes - 1);
  EXPECT_TRUE(back->front().truncated);
  EXPECT_TRUE(is_valid_utf8(back->front().text));
  EXPECT_TRUE(read_responses(dir.path() / "none")->empty());
}

/// 60 records in 12 commits, responses and events between them.
void write_sixty(RunWriter& writer) {
  EventLines events(kRunId);
  (void)writer.ledger_line(meta_line(sample_meta(60)));
  for (int64_t i = 0; i < 60; ++i) {
    if (!writer.response({.index = i, .text = "answer"})) return;
    if (!writer.event(events.next("item", ""))) return;
    if (!writer.record(sample_call(i))) return;
    if (i % 5 == 4) (void)writer.flush(kLong);
  }
}

class EveryFault : public testing::TestWithParam<FaultCalls::Mode> {};

TEST_P(EveryFault, RetriedLosesAndDoublesNothing) {
  int total = 100;  // Known after the first round.
  for (int k = 0; k <= total; ++k) {
    const TempDir dir;
    FaultCalls::reset();
    FaultCalls::mode = GetParam();
    FaultCalls::fail_at = k;
    int errors = 0;
    RunWriter* self = nullptr;
    RunWriter writer(new_ledger(dir, kFaultCalls), {.gather = 0ms, .on_error = [&](const Error&) {
                                                      ++errors;
                                                      self->retry();
                                                    }});
    self = &writer;
    write_sixty(writer);
    (void)writer.flush(kLong);
    const auto stopped = writer.stop();
    if (k == 0) total = FaultCalls::calls;
    if (!stopped) {
      // The fault met the last try of stop(): told, and nothing acknowledged is missing.
      EXPECT_LT(writer.acknowledged(), 60);
    } else {
      EXPECT_EQ(writer.acknowledged(), 60) << k;
      const LedgerContent content = content_of(dir);
      EXPECT_EQ(indices(content.calls), counting(60)) << k;
      EXPECT_EQ(content.duplicates + content.unknown_lines + content.torn_lines, 0) << k;
      EXPECT_EQ(read_responses(dir.path() / "responses.jsonl")->size(), 60U) << k;
      EXPECT_EQ(last_event_seq(dir.path() / "events.jsonl").value(), 60) << k;
    }
    EXPECT_LE(errors, 2) << k;
  }
}

TEST_P(EveryFault, GivenUpKeepsEveryAcknowledgedRecordOnce) {
  int total = 100;
  for (int k = 0; k <= total; ++k) {
    const TempDir dir;
    FaultCalls::reset();
    FaultCalls::mode = GetParam();
    FaultCalls::fail_at = k;
    std::atomic<bool> failed = false;
    int64_t acknowledged_at_failure = 0;
    {
      RunWriter* self = nullptr;
      RunWriter writer(new_ledger(dir, kFaultCalls), {.gather = 0ms, .on_error = [&](const Error&) {
                                                        acknowledged_at_failure =
                                                            self->acknowledged();
                                                        failed = true;
                                                      }});
      self = &writer;
      EventLines events(kRunId);
      ASSERT_TRUE(writer.ledger_line(meta_line(sample_meta(60))));
      for (int64_t i = 0; i < 60 && !failed; ++i) {
        ASSERT_TRUE(writer.record(sample_call(i)));
        if (i % 5 == 4) (void)writer.flush(kLong);
      }
      if (k == 0) total = FaultCalls::calls;
      if (failed) {
        // As a crash would leave it: while the writer holds, before any second try.
        const auto content = read_ledger(dir.path() / "run.jsonl");
        if (acknowledged_at_failure > 0) {
          ASSERT_TRUE(content) << k;
          const auto seen = indices(content->calls);
          ASSERT_GE(static_cast<int64_t>(seen.size()), acknowledged_at_failure) << k;
          EXPECT_EQ(seen, counting(static_cast<int64_t>(seen.size()))) << k;
          EXPECT_EQ(content->duplicates, 0) << k;
        }
      }
    }
    EXPECT_EQ(failed, k != 0 && k <= FaultCalls::calls) << k;
  }
}

INSTANTIATE_TEST_SUITE_P(RunWriter, EveryFault,
                         testing::Values(FaultCalls::Mode::kError, FaultCalls::Mode::kShortWrite,
                                         FaultCalls::Mode::kNoTruncateEither));

TEST(RunWriter, StopGivesUpOnADeadDiskAndSaysWhatIsLost) {
  const TempDir dir;
  FaultCalls::reset();
  FaultCalls::fail_at = 1;
  std::promise<void> told;
  int errors = 0;
  RunWriter writer(new_ledger(dir, kFaultCalls), {.gather = 0ms, .on_error = [&](const Error&) {
                                                    if (++errors == 1) told.set_value();
                                                  }});
  ASSERT_TRUE(writer.record(sample_call(0)));
  told.get_future().wait();
  ASSERT_TRUE(writer.record(sample_call(1)));  // Held for a retry.
  EXPECT_EQ(writer.flush(kLong).error().code, Errc::kIo);
  FaultCalls::fail_at = FaultCalls::calls + 1;
  const auto stopped = writer.stop();
  ASSERT_FALSE(stopped);
  EXPECT_NE(stopped.error().message.find("2 ledger lines are lost"), std::string::npos)
      << stopped.error().message;
  EXPECT_EQ(writer.acknowledged(), 0);
}

TEST(RunWriter, PausesOnAFullDiskAndGoesOnAfterRetry) {
  const TempDir dir;
  if (::mount("tmpfs", dir.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "mounting is not permitted; a file size limit stands in for it elsewhere";
  }
  struct Unmount {
    const path& where;
    ~Unmount() { ::umount2(where.c_str(), MNT_DETACH); }
  } const unmount{dir.path()};
  spill(dir.path() / "filler", std::string(900 << 10, 'x'));
  std::promise<std::string> told;
  std::atomic<int> errors = 0;
  RunWriter writer(new_ledger(dir), {.on_error = [&](const Error& error) {
                     if (++errors == 1) told.set_value(error.message);
                   }});
  ASSERT_TRUE(writer.ledger_line(meta_line(sample_meta(1000))));
  for (int64_t i = 0; i < 1000; ++i) ASSERT_TRUE(writer.record(sample_call(i)));
  const std::string message = told.get_future().get();
  EXPECT_NE(message.find("no space left on device"), std::string::npos) << message;
  EXPECT_NE(message.find("bytes are needed"), std::string::npos) << message;
  const int64_t safe = writer.acknowledged();
  const std::string text = slurp(dir.path() / "run.jsonl");
  EXPECT_TRUE(text.empty() || text.back() == '\n');
  EXPECT_LT(safe, 1000);
  std::filesystem::remove(dir.path() / "filler");
  ::mount("tmpfs", dir.path().c_str(), "tmpfs", MS_REMOUNT, "size=16m");
  writer.retry();
  ASSERT_TRUE(writer.flush(kLong));
  EXPECT_EQ(errors, 1);
  EXPECT_EQ(writer.acknowledged(), 1000);
  EXPECT_EQ(indices(content_of(dir).calls), counting(1000));
  EXPECT_TRUE(writer.stop());
}

}  // namespace
}  // namespace assay
