#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/html/answers.h"

namespace assay {

/// What the pages have in common: one file without script or address, a head, parts behind links.

struct Part {
  std::string_view id;
  std::string_view title;
  std::string content;  ///< Left out when empty.
};
/// The parts behind a list of links to them.
std::string parts_html(const std::vector<Part>& parts);

/// A titled list; empty without items.
std::string list_html(std::string_view title, const std::vector<std::string>& items);

/// What to do next, with the commands.
std::string steps_html(const std::vector<NextStep>& steps);

/// The whole file: `body` and `foot` inside <main>, `after` behind it. The first part's id has to
/// be `summary`.
std::string page_html(std::string_view title, std::string_view body, std::string_view foot,
                      std::string_view after);

}  // namespace assay
