#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "reports/builtin.h"
#include "reports/document.h"

namespace assay {

inline constexpr size_t kConsoleWidth = 77;

/// Columns that a terminal uses for valid UTF-8: East Asian wide characters and emoji two,
/// combining ones none.
size_t display_width(std::string_view text);

/// Text of anybody made safe for a terminal: no control characters, no direction overrides, and in
/// kAscii nothing outside ASCII (± becomes +-, … becomes ..., what has no stand-in becomes ?).
std::string safe_text(std::string_view text, RenderOptions::Glyphs glyphs);

/// At most `width` columns; a longer text loses its middle (`…`, `..` in ASCII), since both ends
/// tell names apart.
std::string fit_middle(std::string_view text, size_t width, RenderOptions::Glyphs glyphs);

/// The same for a sentence: it loses its end, from a space on where there is one.
std::string fit_end(std::string_view text, size_t width, RenderOptions::Glyphs glyphs);

/// Lines of at most `width` columns, broken at spaces where there are any; lines after the first
/// begin with `indent` spaces.
std::vector<std::string> wrap(std::string_view text, size_t width, size_t indent);

/// A laid-out table or histogram, without line ends. Too wide for RenderOptions::width: the first
/// column shrinks to 14, then columns go by Column::drop, then it shrinks to 12. Rows never wrap.
/// Figures with intervals get a line of these below, where the width is above kConsoleWidth and has
/// room for them.
std::vector<std::string> lay_out(const Table& table, const RenderOptions& options);
std::vector<std::string> lay_out(const Histogram& histogram, const RenderOptions& options);

/// The titles of the columns that lay_out() leaves out for want of room.
std::vector<std::string> left_out(const Table& table, const RenderOptions& options);

enum class Style : uint8_t { kPlain, kBold, kFaint, kWarning };
/// With escape sequences around it when colour is on.
std::string styled(std::string text, Style style, RenderOptions::Colour colour);

}  // namespace assay
