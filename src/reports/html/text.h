#pragma once

#include <string>
#include <string_view>

namespace assay {

/// Text of anybody for an element or a quoted attribute: no markup, no control characters, no
/// direction overrides, and `:` of `://` as a reference, so that no address stands in the file.
/// Longer than 400 bytes is cut with `…`.
std::string html_text(std::string_view raw);

/// A number in a style or a plot: at most one decimal, no `-0`.
std::string short_number(double value);

}  // namespace assay
