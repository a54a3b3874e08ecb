#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace assay {

/// A random version-4 UUID in its 36-character text form, from the kernel's random source.
std::string new_uuid4();

/// 64 random bits from the kernel.
uint64_t random_u64();

/// Lower-case hexadecimal SHA-256 of the bytes, 64 characters.
std::string sha256_hex(std::string_view bytes);

}  // namespace assay
