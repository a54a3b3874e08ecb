#pragma once

#include <cstdint>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace assay {

/// A random version-4 UUID in its 36-character text form, from the kernel's random source.
std::string new_uuid4();

/// 64 random bits from the kernel.
uint64_t random_u64();

/// Lower-case hexadecimal SHA-256 of the bytes, 64 characters.
std::string sha256_hex(std::string_view bytes);

/// Lower-case hexadecimal SHA-1 of the bytes, 40 characters: for identities that others made so.
std::string sha1_hex(std::string_view bytes);

/// The SHA-256 of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  /// Of all that was added, as sha256_hex. Once.
  std::string hex();

 private:
  evp_md_ctx_st* context_;
};

}  // namespace assay
