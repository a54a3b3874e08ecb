#pragma once

#include <cstdint>

namespace assay {

/// IEEE half precision, rounded to nearest even; too large becomes infinity.
uint16_t half_from_float(float value);

/// Exact. Infinities and NaNs are not supported.
float float_from_half(uint16_t half);

}  // namespace assay
