#include "store/remove_run.h"

#include <gmock/gmock.h>

#include "store/append_file.h"
#include "store/index.h"
#include "store_test_support.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kRun = kRunId;

void put_ledger(const TempDir& dir) { make_run(dir.path(), kRun, ledger_text(2)); }

TEST(RemoveRun, LeavesATombstone) {
  const TempDir dir;
  put_ledger(dir);
  ASSERT_TRUE(remove_run(dir.path(), kRun, "asked for"));
  EXPECT_FALSE(std::filesystem::exists(run_paths(dir.path(), kRun).directory));
  EXPECT_EQ(read_state(dir.path())->find<RemovedRun>(kRun)->reason, "asked for");
  EXPECT_EQ(remove_run(dir.path(), kRun, "again").error().code, Errc::kNotFound);
}

TEST(RemoveRun, RefusesBaselinesAndPublishedRuns) {
  const TempDir dir;
  put_ledger(dir);
  ASSERT_TRUE(add_to_state(dir.path(), {Baseline{"main", kRun, "t"}}));
  const auto baseline = remove_run(dir.path(), kRun, "");
  EXPECT_EQ(baseline.error().code, Errc::kConflict);
  EXPECT_THAT(baseline.error().message, HasSubstr("baseline 'main'"));
  ASSERT_TRUE(add_to_state(
      dir.path(), {Baseline{"main", std::nullopt, "t"}, Publication{kRun, "the archive", "t"}}));
  EXPECT_THAT(remove_run(dir.path(), kRun, "").error().message, HasSubstr("the archive"));
  EXPECT_EQ(read_state(dir.path())->find<RemovedRun>(kRun), nullptr);
  ASSERT_TRUE(add_to_state(dir.path(), {Publication{kRun, std::nullopt, "t"}}));
  EXPECT_TRUE(remove_run(dir.path(), kRun, ""));
}

TEST(RemoveRun, RefusesARunThatIsBeingWritten) {
  const TempDir dir;
  put_ledger(dir);
  const auto held =
      AppendFile::open(run_paths(dir.path(), kRun).ledger, AppendFile::Open::kExisting);
  ASSERT_TRUE(held);
  EXPECT_EQ(remove_run(dir.path(), kRun, "").error().code, Errc::kConflict);
  EXPECT_EQ(read_state(dir.path())->find<RemovedRun>(kRun), nullptr);
}

TEST(RemoveRun, RefusesWhatIsNoId) {
  const TempDir dir;
  EXPECT_EQ(remove_run(dir.path(), "../state", "").error().code, Errc::kInvalidArgument);
}

TEST(RemoveRun, NoIndexShowsARemovedRunWhoseFilesAreThere) {
  const TempDir dir;
  put_ledger(dir);
  ASSERT_TRUE(sync_index(dir.path()));
  // Killed between the tombstone and the deletion.
  ASSERT_TRUE(add_to_state(dir.path(), {RemovedRun{kRun, "asked for", "t"}}));
  const auto synced = sync_index(dir.path());
  ASSERT_TRUE(synced);
  EXPECT_EQ(synced->removed, 1);
  EXPECT_THAT(synced->notes, ElementsAre(HasSubstr("was removed, but its files are there")));
  EXPECT_TRUE(RunIndex::open(dir.path())->list_runs()->empty());
  const auto rebuilt = reindex(dir.path());
  ASSERT_TRUE(rebuilt);
  EXPECT_EQ(rebuilt->runs, 0);
  EXPECT_THAT(rebuilt->notes, ElementsAre(HasSubstr("was removed")));
  // The second try deletes them.
  ASSERT_TRUE(remove_run(dir.path(), kRun, "again"));
  EXPECT_TRUE(sync_index(dir.path())->notes.empty());
}

}  // namespace
}  // namespace assay
