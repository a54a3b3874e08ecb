#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace assay {

enum class TokenKind : uint8_t {
  kWord,     ///< A space and letters, or a full stop or comma: what random text is made of.
  kText,     ///< Other printable text: letters, digits, word endings, the line end.
  kByte,     ///< A single byte that is not printable by itself, such as half of a UTF-8 character.
  kControl,  ///< Never text.
};

/// A made-up byte-level BPE vocabulary in GPT-2's form, where every text token is reached by the
/// merges: a word is tokenised to its longest known beginning and the rest. Generated text
/// therefore tokenises back to the tokens it was made of.
struct Vocabulary {
  std::vector<std::string> tokens;  ///< As GGUF spells them: bytes mapped to printable characters.
  std::vector<TokenKind> kinds;
  std::vector<std::string> merges;
  std::unordered_map<std::string, int32_t> ids;
  int32_t begin_of_text = 0;
  int32_t end_of_turn = 0;  ///< `<|im_end|>`, the EOS token.
  int32_t padding = 0;

  /// The token that is exactly this text, which may begin with a space. Must exist.
  [[nodiscard]] int32_t id_of(std::string_view text) const;
};

/// `size` tokens: the 256 bytes, common English words as far as they fit, common word parts, and
/// for the rest made-up words of two or more syllables; the four control tokens come last. The same
/// size gives the same vocabulary. `size` is at least 512.
Vocabulary build_vocabulary(int64_t size);

/// ChatML, the template the control tokens belong to.
extern const std::string_view kChatTemplate;

}  // namespace assay
