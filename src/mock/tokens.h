#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace assay {

/// The mock engine's tokenizer, used for every count it reports. A token is a word (letters,
/// digits, `_` and all bytes above 127, taken together) or one other visible character; white space
/// belongs to the token after it, at the end of the text to the one before. White space alone is
/// one token. Joined together the tokens give the text again.
std::vector<std::string_view> split_tokens(std::string_view text);

int64_t count_tokens(std::string_view text);

/// A token's number, 0..31999, from its bytes alone.
uint32_t token_id(std::string_view token);

/// FNV-1a, 64 bits: the same everywhere, for seeds and the prefix cache.
uint64_t text_hash(std::string_view text);

}  // namespace assay
