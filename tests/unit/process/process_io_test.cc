#include "process/process_io.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/files.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

TEST(ProcessIo, ReadsTheKernelsCount) {
  std::string name = (fs::temp_directory_path() / "assay_proc_XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  const fs::path proc = name;
  ASSERT_TRUE(make_directories(proc / "42"));
  ASSERT_TRUE(write_file_atomic(proc / "42" / "io",
                                "rchar: 900\nwchar: 1\nsyscr: 2\nsyscw: 3\nread_bytes: 81920\n"
                                "write_bytes: 0\ncancelled_write_bytes: 0\n"));
  EXPECT_EQ(storage_read_bytes(42, proc).value(), 81'920);
  EXPECT_EQ(storage_read_bytes(43, proc).error().code, Errc::kUnavailable);
  ASSERT_TRUE(write_file_atomic(proc / "42" / "io", "read_bytes: many\n"));
  EXPECT_FALSE(storage_read_bytes(42, proc));
  std::error_code ignored;
  fs::remove_all(proc, ignored);
}

TEST(ProcessIo, KnowsTheMostMemoryOfAProcess) {
  const auto own = peak_memory_bytes(::getpid());
  ASSERT_TRUE(own);
  EXPECT_GT(*own, 1'000'000);
  EXPECT_FALSE(peak_memory_bytes(::getpid(), "/nowhere"));
}

TEST(ProcessIo, KnowsItsOwnProcess) {
  const auto own = storage_read_bytes(::getpid());
  if (!own) GTEST_SKIP() << "no /proc/PID/io here";
  EXPECT_GE(*own, 0);
}

}  // namespace
}  // namespace assay
