#pragma once

#include <cstdint>
#include <string>

namespace assay {

/// `words` common English words, the same for the same seed. Tokenizers give about one token a
/// word; the real ratio is calibrated.
std::string synthetic_words(int64_t words, uint64_t seed);

/// A first line that no other call shares, so that no cached prefix can serve it. Plain words, so
/// that its length in tokens hardly varies.
std::string salt_line(uint64_t seed);

/// What makes a model go on and on, for engines that cannot be told an exact length.
inline constexpr const char* kLongAnswerRequest =
    "\n\nWrite a numbered list of 400 different everyday objects, each with one full sentence "
    "about "
    "what it is used for. Do not stop before number 400.";
inline constexpr int64_t kLongAnswerRequestWords = 26;

}  // namespace assay
