#include "gguf/random_blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "gguf/half.h"
#include "gguf/quantise.h"

namespace assay {
namespace {

constexpr size_t kChoices = 65536;

void store_half(double value, uint8_t* out) {
  const uint16_t half = half_from_float(static_cast<float>(value));
  std::memcpy(out, &half, sizeof half);
}

// The standard deviation of integers drawn evenly from `count` neighbours.
double even_deviation(double count) { return std::sqrt((count * count - 1) / 12); }

void fill_bytes(SplitMix64& random, uint8_t* out, size_t count) {
  for (; count >= 8; count -= 8, out += 8) {
    const uint64_t bits = random();
    std::memcpy(out, &bits, 8);
  }
  if (count > 0) {
    const uint64_t bits = random();
    std::memcpy(out, &bits, count);
  }
}

template <class Value>
void fill_values(std::span<const Value> choices, SplitMix64& random, std::span<uint8_t> out) {
  uint64_t bits = 0;
  for (size_t i = 0; i < out.size() / sizeof(Value); ++i) {
    bits = i % 4 == 0 ? random() : bits >> 16;
    std::memcpy(out.data() + i * sizeof(Value), &choices[bits & 0xffff], sizeof(Value));
  }
}

float even_value(size_t index, double deviation) {
  return static_cast<float>((static_cast<double>(index) - 32767.5) / even_deviation(65536) *
                            deviation);
}

}  // namespace

RandomBlocks::Layout RandomBlocks::layout_of(GgmlType type, double deviation) {
  Layout block;
  switch (type) {
    case GgmlType::kQ8_0:
    case GgmlType::kQ5_0:
    case GgmlType::kQ4_0: {
      const double quants = type == GgmlType::kQ8_0 ? 256 : type == GgmlType::kQ5_0 ? 32 : 16;
      block.before_bytes = 2;
      // Few quants have a mean well below zero, which would add up along a row.
      block.random_sign = type != GgmlType::kQ8_0;
      block.random_bytes = type == GgmlType::kQ8_0 ? 32 : type == GgmlType::kQ5_0 ? 20 : 16;
      store_half(deviation / even_deviation(quants), block.before.data());
      return block;
    }
    case GgmlType::kQ4_K: {
      // value = d * 32 * quant - dmin * 32, with dmin = 7.5 d: mean zero.
      const double step = deviation / even_deviation(16) / 32;
      std::array<uint8_t, 8> scales{};
      scales.fill(32);
      block.before_bytes = 16;
      block.random_bytes = 128;
      store_half(step, block.before.data());
      store_half(7.5 * step, block.before.data() + 2);
      pack_q4_k_scales(scales, scales, std::span(block.before).subspan<4, 12>());
      return block;
    }
    case GgmlType::kQ6_K: {
      block.random_bytes = 192;
      block.after_bytes = 18;
      std::fill_n(block.after.begin(), 16, uint8_t{16});
      store_half(deviation / even_deviation(64) / 16, block.after.data() + 16);
      return block;
    }
    case GgmlType::kF16:
    case GgmlType::kF32:
      break;
  }
  ASSAY_CHECK(false);
}

void RandomBlocks::fill_quants(SplitMix64& random, std::span<uint8_t> out) const {
  const Layout block = layout_;
  const size_t block_bytes = block.before_bytes + block.random_bytes + block.after_bytes;
  for (uint8_t* at = out.data(); at != out.data() + out.size(); at += block_bytes) {
    std::memcpy(at, block.before.data(), block.before_bytes);
    if (block.random_sign) at[1] = static_cast<uint8_t>(at[1] ^ (random() & 0x80));
    fill_bytes(random, at + block.before_bytes, block.random_bytes);
    std::memcpy(at + block.before_bytes + block.random_bytes, block.after.data(),
                block.after_bytes);
  }
}

RandomBlocks::RandomBlocks(GgmlType type, double deviation) {
  if (type == GgmlType::kF32) {
    for (size_t i = 0; i < kChoices; ++i) floats_.push_back(even_value(i, deviation));
  } else if (type == GgmlType::kF16) {
    for (size_t i = 0; i < kChoices; ++i) {
      halves_.push_back(half_from_float(even_value(i, deviation)));
    }
  } else {
    layout_ = layout_of(type, deviation);
  }
}

void RandomBlocks::fill(SplitMix64& random, std::span<uint8_t> out) const {
  if (!floats_.empty()) return fill_values<float>(floats_, random, out);
  if (!halves_.empty()) return fill_values<uint16_t>(halves_, random, out);
  fill_quants(random, out);
}

}  // namespace assay
