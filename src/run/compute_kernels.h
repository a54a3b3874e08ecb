#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace assay {

/// Small loops that show what a core can do. Each uses the widest instructions of the processor it
/// runs on; results are returned so that nothing is optimised away.

/// Reads all of `words` once. The size is a multiple of 64 words.
uint64_t read_once(std::span<const uint64_t> words);

/// Does `rounds` rounds of independent multiply-adds of 32-bit floats.
struct Work {
  double operations = 0;  ///< Multiplications and additions that were done.
  double result = 0;      ///< Of no meaning.
};
Work multiply_floats(int64_t rounds);

/// The same of 8-bit integers with 32-bit sums, as quantised models compute. No operations where
/// the processor has no instructions for it.
Work multiply_bytes(int64_t rounds);

}  // namespace assay
