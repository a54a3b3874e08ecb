#include "base/page_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/files.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

class PageCache : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "assay_page_cache_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  fs::path folder_;
};

TEST_F(PageCache, WhatWasJustWrittenIsThere) {
  const fs::path file = folder_ / "model.gguf";
  ASSERT_TRUE(write_file_atomic(file, std::string(1 << 20, 'x')));
  const auto share = page_cache_share(file);
  ASSERT_TRUE(share) << share.error().message;
  EXPECT_GT(*share, 0.9);
  EXPECT_LE(*share, 1.0);
}

TEST_F(PageCache, WhatWasDroppedIsNot) {
  const fs::path file = folder_ / "model.gguf";
  ASSERT_TRUE(write_file_atomic(file, std::string(1 << 20, 'x')));
  const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  const bool written = ::fsync(fd) == 0;
  const bool dropped = ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0;
  ::close(fd);
  if (!written || !dropped) GTEST_SKIP() << "this file system keeps its pages";
  const auto share = page_cache_share(file);
  ASSERT_TRUE(share);
  // A file system in memory has nowhere to drop them to.
  EXPECT_TRUE(*share == 0 || *share == 1) << *share;
}

TEST_F(PageCache, SaysWhyItCannotTell) {
  EXPECT_EQ(page_cache_share(folder_ / "none").error().code, Errc::kNotFound);
  ASSERT_TRUE(write_file_atomic(folder_ / "empty", ""));
  EXPECT_EQ(page_cache_share(folder_ / "empty").error().message, "empty is empty");
}

}  // namespace
}  // namespace assay
