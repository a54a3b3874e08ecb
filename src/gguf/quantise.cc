#include "gguf/quantise.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "gguf/half.h"

namespace assay {
namespace {

// The quant nearest to `value / scale`, between `low` and `high`.
int nearest(float value, float scale, int low, int high) {
  if (scale == 0) return std::clamp(0, low, high);
  return std::clamp(static_cast<int>(std::lrint(value / scale)), low, high);
}

// Stores the scale and gives back what a reader will see of it.
float store_scale(float value, uint8_t* out) {
  const uint16_t half = half_from_float(value);
  std::memcpy(out, &half, sizeof half);
  return float_from_half(half);
}

float furthest_from_zero(std::span<const float> values) {
  float furthest = 0;
  for (const float value : values) {
    if (std::abs(value) > std::abs(furthest)) furthest = value;
  }
  return furthest;
}

void quantise_q8_0(std::span<const float> values, uint8_t* out) {
  const float scale = store_scale(std::abs(furthest_from_zero(values)) / 127, out);
  for (size_t i = 0; i < 32; ++i) {
    out[2 + i] = static_cast<uint8_t>(nearest(values[i], scale, -127, 127));
  }
}

// q4_0 and q5_0: the value furthest from zero gets the lowest quant, which is one further out than
// the highest.
void quantise_q4_0(std::span<const float> values, uint8_t* out) {
  const float scale = store_scale(furthest_from_zero(values) / -8, out);
  for (size_t i = 0; i < 16; ++i) {
    const int low = nearest(values[i], scale, -8, 7) + 8;
    const int high = nearest(values[i + 16], scale, -8, 7) + 8;
    out[2 + i] = static_cast<uint8_t>(low | (high << 4));
  }
}

void quantise_q5_0(std::span<const float> values, uint8_t* out) {
  const float scale = store_scale(furthest_from_zero(values) / -16, out);
  uint32_t fifth_bits = 0;
  for (size_t i = 0; i < 16; ++i) {
    const auto low = static_cast<uint32_t>(nearest(values[i], scale, -16, 15) + 16);
    const auto high = static_cast<uint32_t>(nearest(values[i + 16], scale, -16, 15) + 16);
    out[6 + i] = static_cast<uint8_t>((low & 0xf) | ((high & 0xf) << 4));
    fifth_bits |= (low >> 4) << i;
    fifth_bits |= (high >> 4) << (i + 16);
  }
  std::memcpy(out + 2, &fifth_bits, sizeof fifth_bits);
}

void quantise_q4_k(std::span<const float> values, uint8_t* out) {
  std::array<float, 8> steps{};
  std::array<float, 8> floors{};  // How far below zero each group of 32 reaches.
  for (size_t group = 0; group < 8; ++group) {
    const auto part = values.subspan(group * 32, 32);
    const auto [lowest, highest] = std::minmax_element(part.begin(), part.end());
    floors[group] = std::max(0.0F, -*lowest);
    steps[group] = (std::max(0.0F, *highest) + floors[group]) / 15;
  }
  const float step_unit = store_scale(*std::max_element(steps.begin(), steps.end()) / 63, out);
  const float floor_unit =
      store_scale(*std::max_element(floors.begin(), floors.end()) / 63, out + 2);
  std::array<uint8_t, 8> scales{};
  std::array<uint8_t, 8> minima{};
  for (size_t group = 0; group < 8; ++group) {
    scales[group] = static_cast<uint8_t>(nearest(steps[group], step_unit, 0, 63));
    minima[group] = static_cast<uint8_t>(nearest(floors[group], floor_unit, 0, 63));
  }
  pack_q4_k_scales(scales, minima, std::span<uint8_t, 12>(out + 4, 12));
  std::memset(out + 16, 0, 128);
  for (size_t i = 0; i < 256; ++i) {
    const size_t group = i / 32;
    const float step = step_unit * static_cast<float>(scales[group]);
    const float above_floor = values[i] + floor_unit * static_cast<float>(minima[group]);
    const int quant = nearest(above_floor, step, 0, 15);
    uint8_t& byte = out[16 + i / 64 * 32 + i % 32];
    byte = static_cast<uint8_t>(byte | (quant << (group % 2 * 4)));
  }
}

void quantise_q6_k(std::span<const float> values, uint8_t* out) {
  uint8_t* low_bits = out;
  uint8_t* high_bits = out + 128;
  uint8_t* scales = out + 192;
  std::memset(out, 0, 192);
  const float unit = store_scale(std::abs(furthest_from_zero(values)) / 31 / 127, out + 208);
  for (size_t group = 0; group < 16; ++group) {
    const float step = std::abs(furthest_from_zero(values.subspan(group * 16, 16))) / 31;
    scales[group] = static_cast<uint8_t>(nearest(step, unit, 0, 127));
  }
  for (size_t i = 0; i < 256; ++i) {
    const size_t group = i / 16;
    const float step = unit * static_cast<float>(scales[group]);
    const int quant = nearest(values[i], step, -32, 31) + 32;
    // Each half of 128 values holds four quarters: quarters 0 and 2 share low bytes, so do 1 and 3.
    const size_t half = i / 128;
    const size_t quarter = i % 128 / 32;
    uint8_t& low = low_bits[half * 64 + quarter % 2 * 32 + i % 32];
    uint8_t& high = high_bits[half * 32 + i % 32];
    low = static_cast<uint8_t>(low | ((quant & 0xf) << (quarter / 2 * 4)));
    high = static_cast<uint8_t>(high | ((quant >> 4) << (quarter * 2)));
  }
}

void quantise_block(GgmlType type, std::span<const float> values, uint8_t* out) {
  switch (type) {
    case GgmlType::kF32:
      std::memcpy(out, values.data(), sizeof(float));
      return;
    case GgmlType::kF16:
      store_scale(values[0], out);
      return;
    case GgmlType::kQ8_0:
      return quantise_q8_0(values, out);
    case GgmlType::kQ5_0:
      return quantise_q5_0(values, out);
    case GgmlType::kQ4_0:
      return quantise_q4_0(values, out);
    case GgmlType::kQ4_K:
      return quantise_q4_k(values, out);
    case GgmlType::kQ6_K:
      return quantise_q6_k(values, out);
  }
}

}  // namespace

void pack_q4_k_scales(std::span<const uint8_t, 8> scales, std::span<const uint8_t, 8> minima,
                      std::span<uint8_t, 12> out) {
  for (size_t j = 0; j < 4; ++j) {
    out[j] = scales[j];
    out[j + 4] = minima[j];
  }
  for (size_t j = 4; j < 8; ++j) {
    out[j + 4] = static_cast<uint8_t>((scales[j] & 0xf) | ((minima[j] & 0xf) << 4));
    out[j - 4] = static_cast<uint8_t>(out[j - 4] | ((scales[j] >> 4) << 6));
    out[j] = static_cast<uint8_t>(out[j] | ((minima[j] >> 4) << 6));
  }
}

void quantise(GgmlType type, std::span<const float> values, std::span<uint8_t> out) {
  const GgmlFormat format = ggml_format(type);
  const auto block_values = static_cast<size_t>(format.block_values);
  const auto block_bytes = static_cast<size_t>(format.block_bytes);
  ASSAY_CHECK(values.size() % block_values == 0);
  ASSAY_CHECK(out.size() == values.size() / block_values * block_bytes);
  for (size_t block = 0; block < values.size() / block_values; ++block) {
    quantise_block(type, values.subspan(block * block_values, block_values),
                   out.data() + block * block_bytes);
  }
}

}  // namespace assay
