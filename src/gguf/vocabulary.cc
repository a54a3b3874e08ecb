#include "gguf/vocabulary.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"
#include "gguf/vocabulary_words.h"

namespace assay {
namespace {

constexpr int64_t kControlTokens = 4;
// Word parts are only worth their place in a vocabulary of some size.
constexpr int64_t kSmallestWithParts = 2048;

std::string utf8_below_0x800(uint32_t code_point) {
  if (code_point < 0x80) return std::string(1, static_cast<char>(code_point));
  return {static_cast<char>(0xc0 | (code_point >> 6)),
          static_cast<char>(0x80 | (code_point & 0x3f))};
}

bool is_printable_ascii(uint32_t byte) { return byte >= 0x20 && byte < 0x7f; }

// GPT-2's mapping: printable Latin-1 stands for itself, the other bytes for U+0100 and up.
std::array<std::string, 256> byte_spellings() {
  std::array<std::string, 256> spellings;
  uint32_t next = 0x100;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const bool itself = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte != 0xad);
    spellings[byte] = utf8_below_0x800(itself ? byte : next++);
  }
  return spellings;
}

const std::array<std::string, 256>& spellings() {
  static const std::array<std::string, 256> kSpellings = byte_spellings();
  return kSpellings;
}

std::string spelled(std::string_view text) {
  std::string out;
  for (const char c : text) out += spellings()[static_cast<unsigned char>(c)];
  return out;
}

class Builder {
 public:
  explicit Builder(int64_t size) : size_(size - kControlTokens) {}

  Vocabulary build() {
    vocabulary_.ids.reserve(static_cast<size_t>(size_ + kControlTokens));
    add_bytes();
    for (const std::string& word : split(kCommonWords, ' ')) add_spelling(" " + word);
    std::vector<std::string> part_merges;
    if (size_ + kControlTokens >= kSmallestWithParts) {
      // Parts inside a word must not be merged before the word's beginning is: theirs come last.
      std::vector<std::string> word_merges = std::move(vocabulary_.merges);
      vocabulary_.merges.clear();
      for (const std::string& part : split(kWordParts, ' ')) add_spelling(part);
      part_merges = std::move(vocabulary_.merges);
      vocabulary_.merges = std::move(word_merges);
    }
    add_made_up_words();
    vocabulary_.merges.insert(vocabulary_.merges.end(), part_merges.begin(), part_merges.end());
    vocabulary_.begin_of_text = add("<|begin_of_text|>", TokenKind::kControl);
    add("<|im_start|>", TokenKind::kControl);
    vocabulary_.end_of_turn = add("<|im_end|>", TokenKind::kControl);
    vocabulary_.padding = add("<|pad|>", TokenKind::kControl);
    return std::move(vocabulary_);
  }

 private:
  [[nodiscard]] int64_t room() const {
    return size_ - static_cast<int64_t>(vocabulary_.tokens.size());
  }

  int32_t add(const std::string& token, TokenKind kind) {
    const auto id = static_cast<int32_t>(vocabulary_.tokens.size());
    vocabulary_.tokens.push_back(token);
    vocabulary_.kinds.push_back(kind);
    vocabulary_.ids.emplace(token, id);
    return id;
  }

  void add_bytes() {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const bool text = is_printable_ascii(byte) || byte == '\n';
      const bool stop = byte == '.' || byte == ',';
      add(spellings()[byte], stop ? TokenKind::kWord : text ? TokenKind::kText : TokenKind::kByte);
    }
  }

  // Adds every beginning of `text` from two bytes on, each merged from the one before and a byte.
  void add_spelling(const std::string& text) {
    std::vector<std::pair<std::string, std::string>> missing;  // left, right
    std::string left = spelled(text.substr(0, 1));
    for (size_t i = 1; i < text.size(); ++i) {
      const std::string right = spelled(text.substr(i, 1));
      if (!vocabulary_.ids.contains(left + right)) missing.emplace_back(left, right);
      left += right;
    }
    if (static_cast<int64_t>(missing.size()) > room()) return;
    const TokenKind kind = text[0] == ' ' ? TokenKind::kWord : TokenKind::kText;
    for (const auto& [before, byte] : missing) {
      add(before + byte, kind);
      vocabulary_.merges.push_back(before + " " + byte);
    }
  }

  // Words of alternating consonants and vowels, one letter longer at each level. Every word of one
  // level exists before the next begins, so each is one merge away from another token.
  void add_made_up_words() {
    constexpr std::string_view kConsonants = "bdfghjklmnprstvz";
    constexpr std::string_view kVowels = "aeiou";
    constexpr uint64_t kStep = 7919;  // Coprime to every level's size: visits each word once.
    std::vector<std::string> shorter = {spelled(" ")};
    for (bool consonant = true; room() > 0; consonant = !consonant) {
      const std::string_view letters = consonant ? kConsonants : kVowels;
      const uint64_t count = shorter.size() * letters.size();
      std::vector<std::string> level;
      level.reserve(count);
      for (uint64_t k = 0; k < count && room() > 0; ++k) {
        const uint64_t pick = k * kStep % count;
        const std::string& left = shorter[pick / letters.size()];
        const char letter = letters[pick % letters.size()];
        level.push_back(left + letter);
        if (vocabulary_.ids.contains(level.back())) continue;
        add(level.back(), TokenKind::kWord);
        vocabulary_.merges.push_back(left + " " + letter);
      }
      shorter = std::move(level);
    }
  }

  const int64_t size_;
  Vocabulary vocabulary_;
};

}  // namespace

const std::string_view kChatTemplate =
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

int32_t Vocabulary::id_of(std::string_view text) const {
  const auto found = ids.find(spelled(text));
  ASSAY_CHECK(found != ids.end());
  return found->second;
}

Vocabulary build_vocabulary(int64_t size) {
  ASSAY_CHECK(size >= 512);
  return Builder(size).build();
}

}  // namespace assay
