#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/files.h"

namespace assay {

/// Compares with tests/golden/reports/`name`; ASSAY_UPDATE_GOLDEN=1 writes it instead.
inline void expect_golden(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(ASSAY_TEST_DATA) / "reports" / name;
  const char* update = std::getenv("ASSAY_UPDATE_GOLDEN");
  if (update != nullptr && std::string(update) == "1") {
    ASSERT_TRUE(make_directories(path.parent_path()));
    ASSERT_TRUE(write_file_atomic(path, text));
    return;
  }
  const auto expected = read_file(path);
  ASSERT_TRUE(expected) << expected.error().message;
  EXPECT_EQ(text, *expected) << "run with ASSAY_UPDATE_GOLDEN=1 when the change is meant";
}

}  // namespace assay
