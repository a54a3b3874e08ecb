#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "gguf/ggml_format.h"

namespace assay {

/// Random weights of mean about 0 and a given standard deviation, written straight as blocks of one
/// format: the quants are drawn and nothing is quantised, which is about as fast as memory. The
/// same generator state gives the same bytes on every machine.
class RandomBlocks {
 public:
  /// `deviation` is above 0.
  RandomBlocks(GgmlType type, double deviation);

  /// Fills `out`, a whole number of blocks.
  void fill(SplitMix64& random, std::span<uint8_t> out) const;

 private:
  // A quantised block: constant scales before or after random quants.
  struct Layout {
    std::array<uint8_t, 20> before{};
    size_t before_bytes = 0;
    size_t random_bytes = 0;
    std::array<uint8_t, 20> after{};
    size_t after_bytes = 0;
    bool random_sign = false;
  };

  static Layout layout_of(GgmlType type, double deviation);
  void fill_quants(SplitMix64& random, std::span<uint8_t> out) const;

  Layout layout_;
  // For f32 and f16: the evenly spaced values that sixteen random bits choose from.
  std::vector<float> floats_;
  std::vector<uint16_t> halves_;
};

}  // namespace assay
