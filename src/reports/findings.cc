#include "reports/findings.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "reports/markdown_text.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

std::string figure(const std::optional<double>& value) {
  return value ? fmt::format("{:.4g}", *value) : "-";
}

}  // namespace

nlohmann::ordered_json finding_document(const Finding& f) {
  return {{"kind", to_text(f.kind)},
          {"cell_id", printable(f.cell_id)},
          {"prompt_id", printable(f.prompt_id)},
          {"metric", f.metric},
          {"base", number(f.base)},
          {"new", number(f.now)},
          {"change", number(f.change)},
          {"n", f.n},
          {"detail", printable(f.detail, 400)}};
}

std::string findings_markdown(std::string_view base, std::span<const Finding> findings) {
  std::string out = fmt::format("## Against {}\n", markdown_cell(base));
  for (const auto& [kind, title] :
       {std::pair(Finding::Kind::kRegression, "Regressions"),
        std::pair(Finding::Kind::kWin, "Wins"), std::pair(Finding::Kind::kRedFlag, "Red flags"),
        std::pair(Finding::Kind::kNotComparable, "Not comparable")}) {
    out += fmt::format("\n### {}\n\n", title);
    bool any = false;
    for (const Finding& f : findings) {
      if (f.kind != kind) continue;
      any = true;
      out += fmt::format("- {} {}: {} {} -> {}: {}\n", markdown_cell(f.cell_id),
                         markdown_cell(f.prompt_id), f.metric, figure(f.base), figure(f.now),
                         markdown_cell(f.detail));
    }
    if (!any) out += "none\n";
  }
  return out;
}

}  // namespace assay
