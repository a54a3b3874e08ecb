#pragma once

#include <cstdint>
#include <limits>

namespace assay {

/// SplitMix64 (Steele, Lea, Flood 2014): a seed gives the same sequence on every machine and
/// standard library. A UniformRandomBitGenerator. Not for secrets.
class SplitMix64 {
 public:
  using result_type = uint64_t;
  explicit SplitMix64(uint64_t seed) : state_(seed) {}

  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return std::numeric_limits<uint64_t>::max(); }

  uint64_t operator()() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, 1), 53 bits.
  double unit() { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }

  /// Uniform in [0, bound). `bound` is at least 1; the bias is below 2^-32 for bounds below 2^32.
  uint64_t below(uint64_t bound) { return (*this)() % bound; }

 private:
  uint64_t state_;
};

}  // namespace assay
