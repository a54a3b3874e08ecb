#include "store/run_dir.h"

#include "store/ledger.h"
#include "store_test_support.h"

namespace assay {
namespace {

TEST(DataDirectory, FollowsTheOverrideThenXdgThenHome) {
  const ScopedEnv home("HOME", "/h");
  {
    const ScopedEnv xdg("XDG_DATA_HOME", "/x");
    EXPECT_EQ(data_directory("/o/../p").value(), "/p");
    EXPECT_EQ(data_directory().value(), "/x/assay");
    EXPECT_EQ(data_directory("").value(), "/x/assay");
    EXPECT_TRUE(data_directory("relative")->is_absolute());
  }
  {
    const ScopedEnv xdg("XDG_DATA_HOME", "relative");
    EXPECT_EQ(data_directory().value(), "/h/.local/share/assay");
  }
  const ScopedEnv xdg("XDG_DATA_HOME", nullptr);
  const ScopedEnv no_home("HOME", nullptr);
  EXPECT_EQ(data_directory().error().code, Errc::kInvalidArgument);
}

TEST(RunId, IsANameThatCannotLeaveItsDirectory) {
  EXPECT_TRUE(is_run_id(kRunId));
  for (const char* bad : {"", "short", "../../etc", "abcdef/", "-abcdef", "abc.def", "abc def"}) {
    EXPECT_FALSE(is_run_id(bad)) << bad;
  }
  EXPECT_FALSE(is_run_id(std::string(65, 'a')));
  EXPECT_FALSE(is_run_id(std::string("abcdef\0", 7)));
  const TempDir dir;
  EXPECT_EQ(create_run_directory(dir.path(), "../escape").error().code, Errc::kInvalidArgument);
  EXPECT_EQ(delete_run_directory(dir.path(), "../escape").error().code, Errc::kNotFound);
}

TEST(RunDirectory, IsMadeListedMeasuredAndDeleted) {
  const TempDir dir;
  EXPECT_TRUE(list_run_ids(dir.path())->empty());
  const RunPaths paths = make_run(dir.path(), kRunId, "12345");
  spill(paths.log, "123");
  ASSERT_TRUE(create_run_directory(dir.path(), "no-ledger-yet"));
  EXPECT_EQ(create_run_directory(dir.path(), kRunId).error().code, Errc::kConflict);
  EXPECT_EQ(list_run_ids(dir.path()).value(), std::vector<std::string>{kRunId});
  EXPECT_EQ(run_bytes(dir.path(), kRunId).value(), 8);
  ASSERT_TRUE(delete_run_directory(dir.path(), kRunId));
  EXPECT_TRUE(list_run_ids(dir.path())->empty());
  EXPECT_EQ(run_bytes(dir.path(), kRunId).error().code, Errc::kNotFound);
}

TEST(RunDirectory, IsNotDeletedWhileItsRunGoesOn) {
  const TempDir dir;
  const auto paths = create_run_directory(dir.path(), kRunId);
  const auto ledger = LedgerFile::create(paths->ledger);
  ASSERT_TRUE(ledger);
  EXPECT_EQ(delete_run_directory(dir.path(), kRunId).error().code, Errc::kConflict);
}

}  // namespace
}  // namespace assay
