#include "base/quantity.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

TEST(Quantity, SizesHaveUnitsOrAreGigabytes) {
  EXPECT_EQ(parse_size("8GB").value(), 8'000'000'000);
  EXPECT_EQ(parse_size("8").value(), 8'000'000'000);
  EXPECT_EQ(parse_size("500 MB").value(), 500'000'000);
  EXPECT_EQ(parse_size("1.5GiB").value(), 1'610'612'736);
}

TEST(Quantity, ParametersHaveTheirLetter) {
  EXPECT_EQ(parse_parameters("0.5b").value(), 500'000'000);
  EXPECT_EQ(parse_parameters("8.2B").value(), 8'200'000'000);
  EXPECT_EQ(parse_parameters("494.03M").value(), 494'030'000);
}

TEST(Quantity, WhatIsNoneIsAFault) {
  for (const char* size : {"", "big", "8XB", "-1GB", "0", "1e300GB", "nan", "inf"}) {
    EXPECT_FALSE(parse_size(size).has_value()) << size;
  }
  for (const char* count : {"8", "B", "-7B", "7B7", ""}) {
    EXPECT_FALSE(parse_parameters(count).has_value()) << count;
  }
}

}  // namespace
}  // namespace assay
