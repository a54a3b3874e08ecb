#include "base/ids.h"

#include <fmt/format.h>
#include <openssl/sha.h>
#include <sys/random.h>

#include <array>

#include "base/check.h"

namespace assay {

uint64_t random_u64() {
  uint64_t value = 0;
  ASSAY_CHECK(::getrandom(&value, sizeof value, 0) == static_cast<ssize_t>(sizeof value));
  return value;
}

std::string new_uuid4() {
  const uint64_t high = (random_u64() & ~uint64_t{0xf000}) | 0x4000;
  const uint64_t low = (random_u64() & ~(uint64_t{3} << 62)) | (uint64_t{2} << 62);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xffff, low >> 48, low & 0xffffffffffff);
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  ::SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::string hex;
  hex.reserve(64);
  for (const unsigned char byte : digest) fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
  return hex;
}

}  // namespace assay
