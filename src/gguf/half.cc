#include "gguf/half.h"

#include <bit>
#include <cmath>

namespace assay {

uint16_t half_from_float(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000;
  const float size = std::abs(value);
  if (!(size < 65520.0F)) return static_cast<uint16_t>(sign | 0x7c00);
  // Below the smallest normal half the steps are a fixed 2^-24; above it, the mantissa is rounded
  // to ten bits and a carry moves into the exponent by itself.
  if (size < 0x1p-14F) {
    return static_cast<uint16_t>(sign | static_cast<uint32_t>(std::lrint(size * 0x1p24F)));
  }
  const uint32_t magnitude = bits & 0x7fffffff;
  const uint32_t rounded = magnitude + 0xfff + ((magnitude >> 13) & 1);
  return static_cast<uint16_t>(sign | ((rounded >> 13) - (112U << 10)));
}

float float_from_half(uint16_t half) {
  const auto exponent = static_cast<int>((half >> 10) & 0x1f);
  const auto mantissa = static_cast<float>(half & 0x3ff);
  const float size =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 1024, exponent - 25);
  return (half & 0x8000) != 0 ? -size : size;
}

}  // namespace assay
