#pragma once

#include <cstdint>
#include <span>

#include "gguf/ggml_format.h"

namespace assay {

/// Quantises `values`, a multiple of the block, into `out`. Rounds to the nearest quant and does
/// not search for better scales: meant for the few weights that matter, which are the largest of
/// their block and so come out exact to within the format's scale.
void quantise(GgmlType type, std::span<const float> values, std::span<uint8_t> out);

/// Eight 6-bit scales and eight 6-bit minima in the twelve bytes of a q4_k block.
void pack_q4_k_scales(std::span<const uint8_t, 8> scales, std::span<const uint8_t, 8> minima,
                      std::span<uint8_t, 12> out);

}  // namespace assay
