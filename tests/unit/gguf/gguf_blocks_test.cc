#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "gguf/half.h"
#include "gguf/quantise.h"
#include "gguf/random_blocks.h"

namespace assay {
namespace {

float half_at(const uint8_t* at) {
  uint16_t half = 0;
  std::memcpy(&half, at, sizeof half);
  return float_from_half(half);
}

// ggml's own reading of a block, value by value, written down from its format.
float value_at(GgmlType type, const uint8_t* block, int i) {
  switch (type) {
    case GgmlType::kF32: {
      float value = 0;
      std::memcpy(&value, block, sizeof value);
      return value;
    }
    case GgmlType::kF16:
      return half_at(block);
    case GgmlType::kQ8_0:
      return half_at(block) * static_cast<float>(static_cast<int8_t>(block[2 + i]));
    case GgmlType::kQ4_0:
      return half_at(block) * static_cast<float>(((block[2 + i % 16] >> (i / 16 * 4)) & 0xf) - 8);
    case GgmlType::kQ5_0: {
      const int low = (block[6 + i % 16] >> (i / 16 * 4)) & 0xf;
      const int high = (block[2 + i / 8] >> (i % 8)) & 1;
      return half_at(block) * static_cast<float>((low | (high << 4)) - 16);
    }
    case GgmlType::kQ4_K: {
      const uint8_t* packed = block + 4;
      const int j = i / 32;
      const int scale =
          j < 4 ? packed[j] & 63 : (packed[j + 4] & 0xf) | ((packed[j - 4] >> 6) << 4);
      const int floor = j < 4 ? packed[j + 4] & 63 : (packed[j + 4] >> 4) | ((packed[j] >> 6) << 4);
      const int quant = (block[16 + i / 64 * 32 + i % 32] >> (j % 2 * 4)) & 0xf;
      return half_at(block) * static_cast<float>(scale * quant) -
             half_at(block + 2) * static_cast<float>(floor);
    }
    case GgmlType::kQ6_K: {
      const int half = i / 128;
      const int quarter = i % 128 / 32;
      const int low = (block[half * 64 + quarter % 2 * 32 + i % 32] >> (quarter / 2 * 4)) & 0xf;
      const int high = (block[128 + half * 32 + i % 32] >> (quarter * 2)) & 3;
      const auto scale = static_cast<int8_t>(block[192 + i / 16]);
      return half_at(block + 208) * static_cast<float>(scale * ((low | (high << 4)) - 32));
    }
  }
  return 0;
}

std::vector<float> values_of(GgmlType type, const std::vector<uint8_t>& bytes) {
  const GgmlFormat format = ggml_format(type);
  std::vector<float> values;
  for (size_t at = 0; at < bytes.size(); at += static_cast<size_t>(format.block_bytes)) {
    for (int i = 0; i < static_cast<int>(format.block_values); ++i) {
      values.push_back(value_at(type, bytes.data() + at, i));
    }
  }
  return values;
}

constexpr GgmlType kTypes[] = {GgmlType::kF32,  GgmlType::kF16,  GgmlType::kQ8_0, GgmlType::kQ5_0,
                               GgmlType::kQ4_0, GgmlType::kQ4_K, GgmlType::kQ6_K};

TEST(GgufHalf, RoundTripsEveryFiniteValue) {
  for (uint32_t half = 0; half < 0x10000; ++half) {
    if ((half & 0x7c00) == 0x7c00) continue;
    const auto bits = static_cast<uint16_t>(half);
    EXPECT_EQ(half_from_float(float_from_half(bits)), bits);
  }
}

TEST(GgufHalf, RoundsToNearestEven) {
  EXPECT_EQ(half_from_float(1.0F + 0x1p-11F), 0x3c00);
  EXPECT_EQ(half_from_float(1.0F + 0x3p-11F), 0x3c02);
  EXPECT_EQ(half_from_float(65519.0F), 0x7bff);
  EXPECT_EQ(half_from_float(65520.0F), 0x7c00);
  EXPECT_EQ(half_from_float(-0x1p-24F), 0x8001);
  EXPECT_EQ(half_from_float(0x1p-25F), 0x0000);
}

TEST(GgufRandomBlocks, HaveTheDeviationAskedForAndMeanZero) {
  for (const GgmlType type : kTypes) {
    for (const double deviation : {0.007, 0.1}) {
      SplitMix64 random(3);
      std::vector<uint8_t> bytes(static_cast<size_t>(ggml_bytes(type, 1 << 18)));
      RandomBlocks(type, deviation).fill(random, bytes);
      double sum = 0;
      double squares = 0;
      const std::vector<float> values = values_of(type, bytes);
      for (const float value : values) {
        sum += value;
        squares += static_cast<double>(value) * value;
      }
      const auto count = static_cast<double>(values.size());
      EXPECT_NEAR(sum / count / deviation, 0, 0.03) << ggml_format(type).name;
      EXPECT_NEAR(std::sqrt(squares / count) / deviation, 1, 0.02) << ggml_format(type).name;
    }
  }
}

TEST(GgufQuantise, KeepsALargeValueAmongSmallOnes) {
  for (const GgmlType type : kTypes) {
    SplitMix64 random(5);
    std::vector<float> values(512);
    for (float& value : values) value = static_cast<float>((random.unit() - 0.5) * 0.08);
    values[0] = 1;
    std::vector<uint8_t> bytes(static_cast<size_t>(ggml_bytes(type, 512)));
    quantise(type, values, bytes);
    const std::vector<float> back = values_of(type, bytes);
    EXPECT_NEAR(back[0], 1, 0.02) << ggml_format(type).name;
    for (size_t i = 1; i < values.size(); ++i) {
      EXPECT_NEAR(back[i], values[i], 0.07) << ggml_format(type).name << " " << i;
    }
    // A block without the large value has a finer scale.
    for (size_t i = 256; i < values.size(); ++i) {
      EXPECT_NEAR(back[i], values[i], 0.0055) << ggml_format(type).name << " " << i;
    }
  }
}

TEST(GgufQuantise, KeepsZeros) {
  for (const GgmlType type : kTypes) {
    const std::vector<float> zeros(256);
    std::vector<uint8_t> bytes(static_cast<size_t>(ggml_bytes(type, 256)), 0xff);
    quantise(type, zeros, bytes);
    EXPECT_EQ(values_of(type, bytes), zeros) << ggml_format(type).name;
  }
}

}  // namespace
}  // namespace assay
