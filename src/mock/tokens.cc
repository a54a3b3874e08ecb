#include "mock/tokens.h"

namespace assay {

namespace {

constexpr uint32_t kVocabulary = 32'000;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 127 || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

/// The end of the token that starts at `from`.
size_t token_end(std::string_view text, size_t from) {
  size_t at = from;
  while (at < text.size() && is_space(text[at])) ++at;
  if (at == text.size()) return at;
  if (!is_word(text[at])) {
    ++at;
  } else {
    while (at < text.size() && is_word(text[at])) ++at;
  }
  size_t rest = at;
  while (rest < text.size() && is_space(text[rest])) ++rest;
  return rest == text.size() ? rest : at;
}

}  // namespace

std::vector<std::string_view> split_tokens(std::string_view text) {
  std::vector<std::string_view> tokens;
  for (size_t at = 0; at < text.size();) {
    const size_t end = token_end(text, at);
    tokens.push_back(text.substr(at, end - at));
    at = end;
  }
  return tokens;
}

int64_t count_tokens(std::string_view text) {
  int64_t count = 0;
  for (size_t at = 0; at < text.size(); at = token_end(text, at)) ++count;
  return count;
}

uint64_t text_hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

uint32_t token_id(std::string_view token) {
  return static_cast<uint32_t>(text_hash(token) % kVocabulary);
}

}  // namespace assay
