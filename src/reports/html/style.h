#pragma once

#include <string_view>

namespace assay {

/// The page's style sheet: light and dark by the reader's preference, 320 px to wide, and paper.
std::string_view html_style();

}  // namespace assay
