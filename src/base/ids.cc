#include "base/ids.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/random.h>

#include <array>
#include <iterator>
#include <span>

#include "base/check.h"

namespace assay {
namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hex_of(std::span<const unsigned char> bytes) {
  std::string hex;
  for (const unsigned char byte : bytes) fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
  return hex;
}

}  // namespace

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
  ::SHA256(bytes_of(bytes), bytes.size(), digest.data());
  return hex_of(digest);
}

std::string sha1_hex(std::string_view bytes) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  ::SHA1(bytes_of(bytes), bytes.size(), digest.data());
  return hex_of(digest);
}

Sha256::Sha256() : context_(::EVP_MD_CTX_new()) {
  ASSAY_CHECK(context_ != nullptr && ::EVP_DigestInit_ex(context_, ::EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() { ::EVP_MD_CTX_free(context_); }

void Sha256::add(std::string_view bytes) {
  ASSAY_CHECK(::EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  ASSAY_CHECK(::EVP_DigestFinal_ex(context_, digest.data(), nullptr) == 1);
  return hex_of(digest);
}

}  // namespace assay
