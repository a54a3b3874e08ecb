#pragma once

#include <string>
#include <string_view>

namespace assay {

/// Text of anybody inside a cell of a table of source 004's Markdown: at most 200 bytes.
std::string markdown_cell(std::string_view text);

}  // namespace assay
