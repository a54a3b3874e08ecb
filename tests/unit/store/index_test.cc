#include "store/index.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "model/fields.h"
#include "store/index_file.h"
#include "store/ledger.h"
#include "store_test_support.h"

namespace assay {
namespace {

using std::filesystem::path;
using testing::HasSubstr;

const std::string kFirst = kRunId;
const std::string kSecond = "1a2b3cff-0000-4000-8000-000000000002";
const std::string kThird = "9f8e7d6c-0000-4000-8000-000000000003";

std::string text_of(const Error& error) { return error.message + " | " + error.hint; }

/// Reads one column into the member of the same name.
struct ColumnReader {
  SQLite::Statement& row;
  void read(SQLite::Column c, int64_t& out) { out = c.getInt64(); }
  void read(SQLite::Column c, double& out) { out = c.getDouble(); }
  void read(SQLite::Column c, bool& out) { out = c.getInt() != 0; }
  void read(SQLite::Column c, std::string& out) { out = c.getString(); }
  void read(SQLite::Column c, std::vector<std::string>& out) {
    if (c.getString() == R"(["length"])") out = {"length"};
  }
  template <class E>
    requires std::is_enum_v<E>
  void read(SQLite::Column c, E& out) {
    out = from_text<E>(c.getString()).value();
  }
  template <class S>
  void read(SQLite::Column c, Base64<S> out) {
    EXPECT_TRUE(c.isBlob());
    out.bytes = c.getString();
  }
  template <class T>
  void read(SQLite::Column c, std::optional<T>& out) {
    if (!c.isNull()) read(c, out.emplace());
  }
};

std::vector<std::string> indexed_lines(const path& data, const std::string& run_id) {
  SQLite::Database db(index_path(data).string(), SQLite::OPEN_READWRITE);
  SQLite::Statement row(db, "SELECT * FROM calls WHERE benchmark_run_id = ? ORDER BY rowid");
  row.bind(1, run_id);
  std::vector<std::string> lines;
  while (row.executeStep()) {
    CallRecord record;
    ColumnReader reader{row};
    visit_fields(
        record, [&](const char* name, auto&& member) { reader.read(row.getColumn(name), member); });
    lines.push_back(call_line(record));
  }
  return lines;
}

std::vector<std::string> all_rows(const path& data) {
  SQLite::Database db(index_path(data).string(), SQLite::OPEN_READWRITE);
  std::vector<std::string> rows;
  for (const char* table : {"runs", "calls"}) {
    SQLite::Statement row(db, std::string("SELECT * FROM ") + table);
    while (row.executeStep()) {
      std::string text;
      for (int i = 0; i < row.getColumnCount(); ++i) text += row.getColumn(i).getString() + "|";
      rows.push_back(text);
    }
  }
  return rows;
}

bool has_quarantined_file(const path& data) {
  for (const auto& entry : std::filesystem::directory_iterator(data)) {
    if (entry.path().filename().string().starts_with("index.db.corrupt-")) return true;
  }
  return false;
}

/// The kinds of records an index row can come from.
std::string mixed_ledger(const std::string& run_id) {
  std::string text = meta_line(sample_meta(4, run_id)) + "\n";
  CallRecord attempt = sample_call(0, run_id);
  attempt.final = false;
  attempt.outcome = Outcome::kError;
  attempt.error = "reset";
  CallRecord timeout = sample_call(1, run_id);
  timeout.outcome = Outcome::kTimeout;
  timeout.tokens.clear();
  timeout.flags.clear();
  CallRecord skipped = sample_call(2, run_id);
  skipped.outcome = Outcome::kSkipped;
  for (const CallRecord& r : {attempt, sample_call(0, run_id), timeout, skipped}) {
    text += call_line(r) + "\n";
  }
  return text;
}

TEST(RunIndex, HoldsWhatTheLedgersHold) {
  const TempDir data;
  const RunPaths paths = make_run(data.path(), kFirst, mixed_ledger(kFirst));
  make_run(data.path(), kSecond, ledger_text(3, kSecond));
  const auto report = reindex(data.path());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->runs, 2);
  EXPECT_EQ(report->calls, 7);
  EXPECT_TRUE(report->notes.empty());
  std::vector<std::string> lines;
  const LedgerContent ledger = read_ledger(paths.ledger).value();
  for (const CallRecord& r : ledger.calls) lines.push_back(call_line(r));
  EXPECT_EQ(indexed_lines(data.path(), kFirst), lines);

  auto index = RunIndex::open(data.path());
  ASSERT_TRUE(index);
  const RunRow row = index->find_run(kFirst).value();
  EXPECT_EQ(row.state, "interrupted");
  EXPECT_EQ(row.suite, "prompt");
  EXPECT_EQ(row.host, "host-1");
  EXPECT_EQ(row.cells, std::vector<std::string>{"local:openai:m"});
  EXPECT_EQ(row.planned, 4);
  EXPECT_EQ(row.ok, 1);
  EXPECT_EQ(row.failed, 1);
  EXPECT_EQ(row.skipped, 1);
  EXPECT_FALSE(row.wall_s);
  EXPECT_EQ(row.ledger_path, paths.ledger.string());
  EXPECT_EQ(index->find_run(kSecond)->state, "completed");
  EXPECT_EQ(index->find_run(kSecond)->wall_s, 1.5);
}

TEST(RunIndex, ReindexTwiceGivesEqualRows) {
  const TempDir data;
  make_run(data.path(), kFirst, mixed_ledger(kFirst));
  make_run(data.path(), kSecond, ledger_text(3, kSecond));
  ASSERT_TRUE(reindex(data.path()));
  const auto before = all_rows(data.path());
  ASSERT_TRUE(reindex(data.path()));
  EXPECT_EQ(all_rows(data.path()), before);
  EXPECT_EQ(before.size(), 9U);
  EXPECT_FALSE(std::filesystem::exists(data.path() / "index.db.new"));
}

TEST(RunIndex, SyncReadsOnlyWhatChanged) {
  const TempDir data;
  make_run(data.path(), kFirst, ledger_text(2, kFirst));
  const RunPaths second = make_run(data.path(), kSecond, mixed_ledger(kSecond));
  auto index = RunIndex::open(data.path());
  ASSERT_TRUE(index);
  EXPECT_EQ(index->sync()->runs, 0);
  spill(second.ledger, slurp(second.ledger) + call_line(sample_call(3, kSecond)) + "\n");
  make_run(data.path(), kThird, ledger_text(1, kThird));
  const auto report = index->sync();
  EXPECT_EQ(report->runs, 2);
  EXPECT_EQ(report->calls, 6);
  EXPECT_EQ(indexed_lines(data.path(), kSecond).size(), 5U);
  ASSERT_TRUE(delete_run_directory(data.path(), kFirst));
  EXPECT_EQ(index->sync()->removed, 1);
  EXPECT_EQ(index->list_runs()->size(), 2U);
  EXPECT_TRUE(indexed_lines(data.path(), kFirst).empty());
}

TEST(RunIndex, ARunIsRunningWhileItsLedgerIsWritten) {
  const TempDir data;
  const auto paths = create_run_directory(data.path(), kFirst);
  {
    auto ledger = LedgerFile::create(paths->ledger);
    ASSERT_TRUE(ledger->append(mixed_ledger(kFirst)));
    ASSERT_TRUE(sync_index(data.path()));
    EXPECT_EQ(RunIndex::open(data.path())->find_run("last")->state, "running");
  }
  EXPECT_EQ(sync_index(data.path())->runs, 1);
  EXPECT_EQ(RunIndex::open(data.path())->find_run("last")->state, "interrupted");
}

TEST(RunIndex, NotesLedgersItCannotIndexAndDamageInOthers) {
  const TempDir data;
  make_run(data.path(), kFirst, "no ledger\n");
  make_run(data.path(), kSecond, ledger_text(1, kThird));
  make_run(data.path(), kThird, ledger_text(1, kThird) + "{\"type\":\"call\"\n");
  const auto report = reindex(data.path());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->runs, 1);
  ASSERT_EQ(report->notes.size(), 3U);
  EXPECT_THAT(report->notes[0], HasSubstr("no whole meta line"));
  EXPECT_THAT(report->notes[2], HasSubstr("its last line is cut"));
  EXPECT_THAT(report->notes[1], HasSubstr("not of the run its directory names"));
}

TEST(RunIndex, ListsNewestFirstAndFilters) {
  const TempDir data;
  RunMeta late = sample_meta(0, kSecond);
  late.started_wall_ns += 1;
  late.suite = "speed";
  late.cells.push_back(Cell{.id = "far:ollama:big"});
  make_run(data.path(), kFirst, ledger_text(1, kFirst));
  make_run(data.path(), kSecond, meta_line(late) + "\n");
  auto index = RunIndex::open(data.path());
  const auto ids = [&](const RunFilter& filter) {
    std::vector<std::string> found;
    const std::vector<RunRow> rows = index->list_runs(filter).value();
    for (const RunRow& row : rows) found.push_back(row.run_id);
    return found;
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(ids({}), (Ids{kSecond, kFirst}));
  EXPECT_EQ(ids({.state = "completed"}), Ids{kFirst});
  EXPECT_EQ(ids({.suite = "speed"}), Ids{kSecond});
  EXPECT_EQ(ids({.cell = "ollama"}), Ids{kSecond});
  EXPECT_EQ(ids({.host = "host-1"}), (Ids{kSecond, kFirst}));
  EXPECT_EQ(ids({.limit = 1, .offset = 1}), Ids{kFirst});
  EXPECT_EQ(index->find_run("last")->run_id, kSecond);
}

TEST(RunIndex, FindsARunByAnyUnambiguousPrefixOfSix) {
  const TempDir data;
  auto index = RunIndex::open(data.path());
  EXPECT_EQ(index->find_run("last").error().code, Errc::kNotFound);
  for (const std::string& id : {kFirst, kSecond, kThird}) {
    make_run(data.path(), id, ledger_text(1, id));
  }
  ASSERT_TRUE(index->sync());
  EXPECT_EQ(index->find_run("9F8E7D")->run_id, kThird);
  EXPECT_EQ(index->find_run("1a2b3c4")->run_id, kFirst);
  EXPECT_EQ(index->find_run(kSecond)->run_id, kSecond);

  const Error ambiguous = index->find_run("1a2b3c").error();
  EXPECT_EQ(ambiguous.code, Errc::kInvalidArgument);
  EXPECT_THAT(text_of(ambiguous), HasSubstr(kFirst));
  EXPECT_THAT(text_of(ambiguous), HasSubstr(kSecond));
  const Error none = index->find_run("abcdef").error();
  EXPECT_EQ(none.code, Errc::kNotFound);
  EXPECT_THAT(text_of(none), HasSubstr(kThird));
  const Error too_short = index->find_run("9f8e7").error();
  EXPECT_EQ(too_short.code, Errc::kInvalidArgument);
  EXPECT_THAT(text_of(too_short), HasSubstr(kThird));
  EXPECT_FALSE(index->find_run(""));
  EXPECT_FALSE(index->find_run("%%%%%%"));
}

TEST(RunIndex, RemovesARunsRowsOnly) {
  const TempDir data;
  const RunPaths paths = make_run(data.path(), kFirst, ledger_text(2, kFirst));
  auto index = RunIndex::open(data.path());
  ASSERT_TRUE(index->remove_run(kFirst));
  EXPECT_EQ(index->remove_run(kFirst).error().code, Errc::kNotFound);
  EXPECT_TRUE(indexed_lines(data.path(), kFirst).empty());
  EXPECT_TRUE(std::filesystem::exists(paths.ledger));
}

class CorruptIndex : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::string& id : {kFirst, kSecond}) {
      make_run(data_.path(), id, ledger_text(200, id));
    }
    ASSERT_TRUE(reindex(data_.path()));
    rows_ = all_rows(data_.path());
    file_ = index_path(data_.path());
  }
  void expect_same_rows() { EXPECT_EQ(all_rows(data_.path()), rows_); }

  TempDir data_;
  path file_;
  std::vector<std::string> rows_;
};

TEST_F(CorruptIndex, IsQuarantinedAndMadeAnewOnOpen) {
  spill(file_, std::string(8192, 'x'));
  auto index = RunIndex::open(data_.path());
  ASSERT_TRUE(index) << index.error().message;
  const auto notes = index->take_notes();
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes[0], HasSubstr("index.db.corrupt-"));
  EXPECT_TRUE(has_quarantined_file(data_.path()));
  expect_same_rows();
}

TEST_F(CorruptIndex, IsNoticedOnUse) {
  const std::string good = slurp(file_);
  auto index = RunIndex::open(data_.path());
  ASSERT_TRUE(index);
  index = RunIndex::open(data_.path());  // Closes the first, so that the file stands alone.
  for (size_t keep : {good.size() / 2, size_t{4096}}) {
    spill(file_, good.substr(0, 100) + std::string(keep - 100, '\x55'));
    auto fresh = RunIndex::open(data_.path());
    ASSERT_TRUE(fresh) << fresh.error().message;
    EXPECT_EQ(fresh->list_runs()->size(), 2U);
    EXPECT_EQ(fresh->take_notes().size(), 1U);
    expect_same_rows();
  }
}

TEST_F(CorruptIndex, DamagedPagesAreFoundByReadingItAll) {
  std::string damaged = slurp(file_);
  ASSERT_GT(damaged.size(), size_t{20 * 4096});
  damaged.replace(10 * 4096, 8 * 4096, std::string(8 * 4096, '\xaa'));
  spill(file_, damaged);
  auto index = RunIndex::open(data_.path(), RunIndex::Check::kWholeFile);
  ASSERT_TRUE(index) << index.error().message;
  EXPECT_EQ(index->take_notes().size(), 1U);
  expect_same_rows();
}

TEST_F(CorruptIndex, ReindexQuarantinesItToo) {
  spill(file_, "SQLite format 3 but not really");
  const auto report = reindex(data_.path());
  ASSERT_TRUE(report);
  ASSERT_EQ(report->notes.size(), 1U);
  expect_same_rows();
}

TEST_F(CorruptIndex, AnEmptyOrOlderOneIsSimplyMadeAnew) {
  spill(file_, "");
  ASSERT_TRUE(RunIndex::open(data_.path()));
  expect_same_rows();
  SQLite::Database(file_.string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 0");
  ASSERT_TRUE(RunIndex::open(data_.path()));
  SQLite::Database(file_.string(), SQLite::OPEN_READWRITE)
      .exec("ALTER TABLE calls DROP COLUMN tokens");
  ASSERT_TRUE(RunIndex::open(data_.path()));
  expect_same_rows();
  EXPECT_FALSE(has_quarantined_file(data_.path()));
}

TEST_F(CorruptIndex, ANewerOneIsRefusedAndLeftAlone) {
  SQLite::Database(file_.string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 999");
  for (const Error& error : {RunIndex::open(data_.path()).error(), reindex(data_.path()).error(),
                             sync_index(data_.path()).error()}) {
    EXPECT_EQ(error.code, Errc::kInvalidArgument);
    EXPECT_THAT(error.message, HasSubstr("newer version"));
  }
  expect_same_rows();
}

TEST_F(CorruptIndex, AnOpenIndexFollowsOneThatWasPutInItsPlace) {
  auto index = RunIndex::open(data_.path());
  ASSERT_TRUE(index);
  make_run(data_.path(), kThird, ledger_text(1, kThird));
  ASSERT_TRUE(reindex(data_.path()));
  EXPECT_EQ(index->list_runs()->size(), 3U);
}

}  // namespace
}  // namespace assay
