#include "reports/html/text.h"

#include <fmt/format.h>

#include <cmath>

#include "reports/layout.h"

namespace assay {

std::string html_text(std::string_view raw) {
  const std::string safe = safe_text(raw, RenderOptions::Glyphs::kUtf8);
  std::string out;
  for (size_t i = 0; i < safe.size(); ++i) {
    switch (safe[i]) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case ':':
        out += safe.compare(i, 3, "://") == 0 ? "&#58;" : ":";
        break;
      default:
        out += safe[i];
    }
  }
  return out;
}

std::string short_number(double value) {
  const double tenths = std::round(value * 10);
  if (!std::isfinite(tenths) || tenths == 0) return "0";
  return std::fmod(tenths, 10) == 0 ? fmt::format("{:.0f}", tenths / 10)
                                    : fmt::format("{:.1f}", tenths / 10);
}

}  // namespace assay
