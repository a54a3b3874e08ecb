#include "run/synthetic.h"

#include <array>
#include <string_view>

#include "base/random.h"

namespace assay {
namespace {

constexpr std::array<std::string_view, 64> kWords{
    "the",   "time",  "people", "way",    "water", "day",   "man",   "world", "life",   "hand",
    "part",  "child", "eye",    "place",  "work",  "week",  "case",  "point", "number", "group",
    "fact",  "house", "city",   "river",  "book",  "paper", "light", "good",  "new",    "first",
    "last",  "long",  "great",  "little", "own",   "other", "old",   "right", "big",    "high",
    "small", "large", "next",   "early",  "young", "few",   "same",  "make",  "know",   "take",
    "see",   "come",  "think",  "look",   "want",  "give",  "use",   "find",  "tell",   "ask",
    "try",   "seem",  "feel",   "leave"};

}  // namespace

std::string synthetic_words(int64_t words, uint64_t seed) {
  SplitMix64 random(seed);
  std::string text;
  for (int64_t i = 0; i < words; ++i) {
    if (i > 0) text += ' ';
    text += kWords[random.below(kWords.size())];
  }
  return text;
}

std::string salt_line(uint64_t seed) {
  // 10 words out of 64: 60 bits.
  return synthetic_words(10, seed) + "\n";
}

}  // namespace assay
