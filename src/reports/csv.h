#pragma once

#include <string>
#include <string_view>

namespace assay {

/// One CSV cell of text that somebody else wrote, without control characters, quoted where RFC 4180
/// asks for it. A leading = + - @, which spreadsheets take for a formula, gets a ' before it,
/// unless the whole text is a plain number.
std::string csv_text(std::string_view text);

}  // namespace assay
