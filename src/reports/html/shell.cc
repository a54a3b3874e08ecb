#include "reports/html/shell.h"

#include <fmt/format.h>

#include "reports/html/style.h"
#include "reports/html/text.h"

namespace assay {

std::string parts_html(const std::vector<Part>& parts) {
  std::string links = "<nav aria-label=\"Parts\">";
  std::string sections;
  for (const Part& part : parts) {
    if (part.content.empty()) continue;
    links += fmt::format("<a href=\"#{}\">{}</a> ", part.id, part.title);
    sections += fmt::format("<section id=\"{}\"><h2>{}</h2>\n{}</section>\n", part.id, part.title,
                            part.content);
  }
  return links + "</nav>\n" + sections;
}

std::string list_html(std::string_view title, const std::vector<std::string>& items) {
  if (items.empty()) return {};
  std::string out = fmt::format("<h3>{}</h3>\n<ul>\n", title);
  for (const std::string& item : items) out += fmt::format("<li>{}</li>\n", html_text(item));
  return out + "</ul>\n";
}

std::string steps_html(const std::vector<NextStep>& steps) {
  std::string out = "<ol class=\"next\">\n";
  for (const NextStep& step : steps) {
    out += fmt::format("<li>{}", html_text(step.why));
    if (!step.command.empty()) out += fmt::format("<code>{}</code>", html_text(step.command));
    out += "</li>\n";
  }
  return out + "</ol>\n";
}

std::string page_html(std::string_view title, std::string_view body, std::string_view foot,
                      std::string_view after) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n"
      "<a class=\"skip\" href=\"#summary\">Skip to the summary</a>\n<main>\n{}"
      "<footer>{} This file needs no network.</footer>\n</main>\n{}</body>\n</html>\n",
      html_text(title), html_style(), body, foot, after);
}

}  // namespace assay
