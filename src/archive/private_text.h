#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// Something in a text that must not be published.
struct PrivateText {
  std::string_view kind;  ///< Such as `IPv4 address` or `key`.
  std::string text;       ///< As it stands there, at most 80 bytes.
  size_t at = 0;          ///< Its first byte.
};

/// What is known of the machine and the run that a text comes from.
struct Privacy {
  /// Words that are private here: host and user names, addresses. Found as whole words.
  std::set<std::string, std::less<>> known;
  /// Dotted numbers that are versions, and no addresses.
  std::set<std::string, std::less<>> versions;
  /// Names with an `@` that are models or cells, and no accounts.
  std::set<std::string, std::less<>> names;
  /// What somebody looked at and lets pass, whatever it looks like.
  std::set<std::string, std::less<>> accepted;
};

/// A prompt may speak of addresses and paths: it is the same everywhere. Keys it may not hold.
enum class TextKind : uint8_t { kAny, kPrompt };

/// Everything private in `text`, in its order: IPv4 and IPv6 addresses, hardware addresses,
/// accounts (`user@host`, user information of URLs), home folders, host names of private networks,
/// keys and tokens of the usual forms, serial numbers, and what is known to be private here. It
/// rather finds too much: what is found by mistake can be accepted. Any thread.
std::vector<PrivateText> find_private(std::string_view text, const Privacy& privacy,
                                      TextKind kind = TextKind::kAny);

}  // namespace assay
