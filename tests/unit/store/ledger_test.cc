#include "store/ledger.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fault_calls.h"
#include "store/ledger_scan.h"
#include "store_test_support.h"

namespace assay {
namespace {

using std::filesystem::path;

TEST(LedgerFile, WritesWhatReadLedgerReads) {
  const TempDir dir;
  const path file = dir.path() / "run.jsonl";
  auto ledger = LedgerFile::create(file);
  ASSERT_TRUE(ledger) << ledger.error().message;
  ASSERT_TRUE(ledger->append(ledger_text(3)));
  ASSERT_TRUE(ledger->sync());
  const auto content = read_ledger(file);
  ASSERT_TRUE(content) << content.error().message;
  EXPECT_EQ(content->meta.run_id, kRunId);
  EXPECT_EQ(indices(content->calls), counting(3));
  EXPECT_EQ(call_line(content->calls[2]), call_line(sample_call(2)));
  ASSERT_TRUE(content->end);
  EXPECT_EQ(content->end->state, "completed");
}

TEST(LedgerFile, WhatAServerToldOfALoadIsInItsCell) {
  const TempDir dir;
  const path file = dir.path() / "run.jsonl";
  RunMeta meta;
  meta.run_id = kRunId;
  meta.cells.resize(2);
  CellLoad load;
  load.cell = 1;
  load.context_length = 2048;
  load.memory_bytes = 10;
  CellLoad later = load;
  later.memory_bytes = 20;
  CellLoad of_nobody = load;
  of_nobody.cell = 2;
  auto ledger = LedgerFile::create(file);
  ASSERT_TRUE(ledger);
  ASSERT_TRUE(ledger->append(meta_line(meta) + "\n" + load_line(load) + "\n" + load_line(later) +
                             "\n" + load_line(of_nobody) + "\n"));
  const auto content = read_ledger(file);
  ASSERT_TRUE(content) << content.error().message;
  EXPECT_EQ(content->loads.size(), 2U);
  EXPECT_FALSE(content->meta.cells[0].memory_bytes);
  EXPECT_EQ(content->meta.cells[1].context_length, 2048);
  EXPECT_EQ(content->meta.cells[1].memory_bytes, 20);
  EXPECT_EQ(content->unknown_lines, 1);  // Of a cell that the plan does not have.
}

TEST(LedgerFile, RefusesAnExistingFileAndASecondWriter) {
  const TempDir dir;
  const path file = dir.path() / "run.jsonl";
  {
    auto ledger = LedgerFile::create(file);
    ASSERT_TRUE(ledger);
    ASSERT_TRUE(ledger->append(ledger_text(1)));
    EXPECT_TRUE(is_being_written(file));
    const auto second = LedgerFile::open_for_resume(file);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::kConflict);
  }
  EXPECT_FALSE(is_being_written(file));
  EXPECT_EQ(LedgerFile::create(file).error().code, Errc::kConflict);
  EXPECT_TRUE(LedgerFile::open_for_resume(file));
  EXPECT_EQ(LedgerFile::open_for_resume(dir.path() / "none").error().code, Errc::kNotFound);
}

TEST(LedgerFile, ResumeCutsATailTornAtAnyByte) {
  const TempDir dir;
  const path file = dir.path() / "run.jsonl";
  const std::string whole = meta_line(sample_meta(2)) + "\n" + call_line(sample_call(0)) + "\n";
  const std::string last = call_line(sample_call(1));
  for (size_t cut = 1; cut <= last.size(); ++cut) {
    const std::string tail = last.substr(0, cut);
    spill(file, whole + tail);
    std::filesystem::remove(dir.path() / "run.torn");
    auto resumed = LedgerFile::open_for_resume(file);
    ASSERT_TRUE(resumed) << cut << resumed.error().message;
    EXPECT_EQ(indices(resumed->content.calls), counting(1)) << cut;
    EXPECT_EQ(resumed->content.torn_lines, 1) << cut;
    EXPECT_EQ(resumed->content.unknown_lines, 0) << cut;
    EXPECT_EQ(slurp(dir.path() / "run.torn"), tail + "\n") << cut;
    ASSERT_TRUE(resumed->file.append(last + "\n"));
    ASSERT_EQ(slurp(file), whole + last + "\n") << cut;
  }
}

TEST(LedgerFile, ResumeCutsALastLineThatIsNoJson) {
  const TempDir dir;
  const path file = dir.path() / "run.jsonl";
  const std::string whole = meta_line(sample_meta(1)) + "\n";
  spill(file, whole + std::string(100, '\0') + "\n");
  const auto resumed = LedgerFile::open_for_resume(file);
  ASSERT_TRUE(resumed);
  EXPECT_EQ(resumed->content.torn_lines, 1);
  EXPECT_EQ(slurp(file), whole);
}

TEST(LedgerFile, ResumeLeavesAFileWithoutMetaLineAlone) {
  const TempDir dir;
  const path file = dir.path() / "run.jsonl";
  for (const std::string& text : {std::string(), meta_line(sample_meta(1)), std::string("{\"ty")}) {
    spill(file, text);
    const auto resumed = LedgerFile::open_for_resume(file);
    ASSERT_FALSE(resumed);
    EXPECT_EQ(resumed.error().code, Errc::kProtocol);
    EXPECT_EQ(slurp(file), text);
  }
}

TEST(LedgerFile, AFailedAppendLeavesWholeLinesAndTheNextWorks) {
  const TempDir dir;
  const path file = dir.path() / "run.jsonl";
  for (const auto mode : {FaultCalls::Mode::kError, FaultCalls::Mode::kShortWrite,
                          FaultCalls::Mode::kNoTruncateEither}) {
    std::filesystem::remove(file);
    FaultCalls::reset();
    FaultCalls::mode = mode;
    auto ledger = LedgerFile::create(file, kFaultCalls);
    ASSERT_TRUE(ledger);
    ASSERT_TRUE(ledger->append("{\"a\":1}\n"));
    FaultCalls::fail_at = FaultCalls::calls + 1;
    const auto failed = ledger->append("{\"b\":2}\n{\"c\":3}\n");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::kIo);
    EXPECT_NE(failed.error().message.find("16 bytes are needed"), std::string::npos);
    ASSERT_TRUE(ledger->append("{\"d\":4}\n"));
    EXPECT_EQ(slurp(file), "{\"a\":1}\n{\"d\":4}\n");
  }
}

TEST(LedgerFile, AFailedSyncCutsBackToWhatWasDurable) {
  const TempDir dir;
  const path file = dir.path() / "run.jsonl";
  FaultCalls::reset();
  auto ledger = LedgerFile::create(file, kFaultCalls);
  ASSERT_TRUE(ledger->append("{}\n"));
  ASSERT_TRUE(ledger->sync());
  ASSERT_TRUE(ledger->append("[]\n"));
  FaultCalls::fail_at = FaultCalls::calls + 1;
  EXPECT_EQ(ledger->sync().error().code, Errc::kIo);
  EXPECT_EQ(slurp(file), "{}\n");
  EXPECT_EQ(ledger->size(), 3);
}

TEST(LedgerFile, AFileSizeLimitIsAnErrorThatGoesAway) {
  const TempDir dir;
  const path file = dir.path() / "run.jsonl";
  auto ledger = LedgerFile::create(file);
  ASSERT_TRUE(ledger->append("{}\n"));
  auto* const old_handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit tight{10, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &tight);
  const auto failed = ledger->append("{\"long\":\"0123456789\"}\n");
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(failed);
  EXPECT_EQ(slurp(file), "{}\n");
  EXPECT_TRUE(ledger->append("{}\n"));
  EXPECT_EQ(slurp(file), "{}\n{}\n");
}

TEST(ReadLedger, CountsATailTornAtAnyByte) {
  const TempDir dir;
  const path file = dir.path() / "run.jsonl";
  const std::string whole = meta_line(sample_meta(2)) + "\n" + call_line(sample_call(0)) + "\n";
  const std::string last = call_line(sample_call(1));
  for (size_t cut = 1; cut < last.size(); ++cut) {
    spill(file, whole + last.substr(0, cut));
    const auto content = read_ledger(file);
    ASSERT_TRUE(content) << cut;
    EXPECT_EQ(content->torn_lines, 1) << cut;
    EXPECT_EQ(content->calls.size(), 1U) << cut;
  }
  spill(file, whole + last);
  const auto content = read_ledger(file);
  EXPECT_EQ(content->torn_lines, 0);
  EXPECT_EQ(content->calls.size(), 2U);
}

TEST(ReadLedger, GoesOnPastDamageAndSaysWhere) {
  const TempDir dir;
  const path file = dir.path() / "run.jsonl";
  const std::string twice = call_line(sample_call(0));
  CallRecord attempt = sample_call(1);
  attempt.final = false;
  spill(file, meta_line(sample_meta(3)) + "\n" + twice + "\n{\"type\":\"call\",\"index\":\n\n" +
                  R"({"type":"later","x":1})" + "\n" + twice + "\n" + call_line(attempt) + "\n" +
                  call_line(sample_call(1)) + "\n" + R"({"type":"call","index":"two"})" + "\n" +
                  R"({"type":"call","index":2,"unheard_of":{"a":[1]},"outcome":"ok"})" + "\n");
  const auto content = read_ledger(file);
  ASSERT_TRUE(content) << content.error().message;
  EXPECT_EQ(indices(content->calls), (std::vector<int64_t>{0, 1, 1, 2}));
  EXPECT_EQ(content->duplicates, 1);
  EXPECT_EQ(content->unknown_lines, 3);
  EXPECT_EQ(content->torn_lines, 0);
  ASSERT_EQ(content->damaged.size(), 2U);
  EXPECT_EQ(content->damaged[0].substr(0, 7), "line 3:");
  EXPECT_NE(content->damaged[1].find("index"), std::string::npos);
}

TEST(ReadLedger, KeepsRecordsOfCellsThatWereSkippedWhole) {
  const TempDir dir;
  const path file = dir.path() / "run.jsonl";
  CallRecord skipped = sample_call(0);
  skipped.phase = Phase::kSkipped;
  skipped.cell_id = "other:openai:m";
  spill(file, meta_line(sample_meta(1)) + "\n" + call_line(skipped) + "\n" +
                  call_line(sample_call(0)) + "\n");
  EXPECT_EQ(read_ledger(file)->calls.size(), 2U);
}

TEST(ReadLedger, AResumedRunHasNotEndedUntilItsNextEndLine) {
  const TempDir dir;
  const path file = dir.path() / "run.jsonl";
  const std::string resumed = ledger_text(1) + resume_line("x", 5) + "\n";
  spill(file, resumed);
  EXPECT_EQ(read_ledger(file)->resumes, 1);
  EXPECT_FALSE(read_ledger(file)->end);
  spill(file, resumed + end_line(RunEnd{.state = "failed"}) + "\n");
  EXPECT_EQ(read_ledger(file)->end->state, "failed");
}

TEST(ReadLedger, RefusesWhatIsNoLedger) {
  const TempDir dir;
  EXPECT_EQ(read_ledger(dir.path() / "none").error().code, Errc::kNotFound);
  spill(dir.path() / "text", "hello\nworld\n");
  EXPECT_EQ(read_ledger(dir.path() / "text").error().code, Errc::kProtocol);
}

TEST(ScanLedger, ReadsLinesLongerThanItsBuffer) {
  const TempDir dir;
  const path file = dir.path() / "run.jsonl";
  RunMeta meta = sample_meta(2);
  meta.prompts.push_back(Prompt{.id = "p", .text = std::string(3 << 20, 'x')});
  spill(file, meta_line(meta) + "\n" + call_line(sample_call(0)) + "\n" +
                  call_line(sample_call(1)) + "\n");
  const auto content = read_ledger(file);
  ASSERT_TRUE(content);
  EXPECT_EQ(content->meta.prompts.at(0).text.size(), size_t{3} << 20);
  EXPECT_EQ(indices(content->calls), counting(2));
}

TEST(ScanLedger, StopsWithTheVisitorsError) {
  const TempDir dir;
  spill(dir.path() / "f", ledger_text(2));
  const auto scan = scan_ledger(dir.path() / "f", UnendedLine::kAccept, [](CallRecord&&) {
    return Result<void>(fail(Errc::kCancelled, "enough"));
  });
  EXPECT_EQ(scan.error().code, Errc::kCancelled);
}

}  // namespace
}  // namespace assay
