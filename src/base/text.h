#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace assay {

/// Parses `200ms`, `1.5s`, `2m`, `3us`, `10ns`, `1h` or a bare `0`. Negative, unknown units and
/// values above 100 years are kInvalidArgument.
Result<Nanos> parse_duration(std::string_view text);

/// The shortest of the forms above that loses nothing: `1500ms`, `2s`, `0s`.
std::string duration_text(Nanos duration);

/// Parts between separators, outer white space removed, empty parts kept.
std::vector<std::string> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string to_lower(std::string_view text);

/// Matches `*` and `?`; everything else is literal.
bool glob_match(std::string_view pattern, std::string_view text);

/// The candidate nearest to `word` by edit distance, or empty when none is near enough to suggest.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// Standard base64 with padding.
std::string base64_encode(std::string_view bytes);
Result<std::string> base64_decode(std::string_view text);

/// Whether the bytes are well-formed UTF-8.
bool is_valid_utf8(std::string_view bytes);
/// Replaces every ill-formed sequence by U+FFFD.
std::string to_valid_utf8(std::string_view bytes);

/// `text` without control characters, C1 bytes and escape sequences, safe to print to a terminal;
/// tabs and line ends become one space. At most `max_bytes`, cut at a character, with `…` added.
std::string printable(std::string_view text, size_t max_bytes = 400);

/// `12,345` style grouping of the integer part, `decimals` digits after the point.
std::string grouped(double value, int decimals);

/// Bytes as `1.3 GB` (decimal units, at most one decimal).
std::string bytes_text(int64_t bytes);

/// The last part of an absolute path, with either slash; every other text as it is.
std::string_view path_name(std::string_view text);

/// Everything but letters, digits and `-._~` as %XX: fit for a value in a query.
std::string percent_encoded(std::string_view text);

}  // namespace assay
