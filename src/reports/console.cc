#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "reports/builtin.h"
#include "reports/document.h"
#include "reports/layout.h"

namespace assay {
namespace {

constexpr size_t kFactIndent = 4;
constexpr size_t kWordIndent = 8;

class Page {
 public:
  explicit Page(const RenderOptions& options) : options_(options) {}

  void blank() { text_ += '\n'; }

  void line(std::string_view content) { text_ += fmt::format("{}\n", content); }

  /// A paragraph of anybody's text.
  void prose(std::string_view content, size_t indent, Style style = Style::kPlain) {
    const std::string safe = safe_text(content, options_.glyphs);
    for (std::string& part : wrap(safe, kConsoleWidth, indent)) {
      line(styled(std::move(part), style, options_.colour));
    }
  }

  void fact(std::string_view content) {
    const std::string safe = safe_text(content, options_.glyphs);
    for (const std::string& part : wrap(safe, kConsoleWidth - kFactIndent, kFactIndent)) {
      line(std::string(kFactIndent, ' ') + part);
    }
  }

  /// `Saved   path`: paths and commands must stay whole to be copied.
  void labelled(std::string_view label, std::string_view content) {
    line(fmt::format("{:<{}}{}", label, kWordIndent, safe_text(content, options_.glyphs)));
  }

  void block(const Heading& heading) {
    blank();
    prose(heading.text, kFactIndent, Style::kBold);
  }
  void block(const Table& table) {
    // A table without a name for its rows belongs to the heading or table above it.
    if (!table.columns.empty() && !table.columns.front().title.empty()) blank();
    lines(lay_out(table, options_));
  }
  void block(const Histogram& histogram) {
    blank();
    lines(lay_out(histogram, options_));
  }

  std::string take() { return std::move(text_); }

 private:
  void lines(const std::vector<std::string>& all) {
    for (const std::string& one : all) line(one);
  }

  const RenderOptions& options_;
  std::string text_;
};

/// Titles of the tables' columns that have no room, each once.
std::vector<std::string> columns_left_out(const Document& document, const RenderOptions& options) {
  std::vector<std::string> titles;
  for (const Block& block : document.blocks) {
    const Table* table = std::get_if<Table>(&block);
    if (table == nullptr) continue;
    for (std::string& title : left_out(*table, options)) {
      if (std::find(titles.begin(), titles.end(), title) == titles.end()) {
        titles.push_back(std::move(title));
      }
    }
  }
  return titles;
}

}  // namespace

std::string console_text(const Document& document, const RenderOptions& options) {
  Page page(options);
  page.prose(document.title, kFactIndent, Style::kBold);
  for (const std::string& fact : document.facts) page.fact(fact);
  for (const Block& block : document.blocks) {
    std::visit([&](const auto& one) { page.block(one); }, block);
  }
  page.blank();
  if (!document.measurement.empty()) {
    page.prose(document.measurement, kFactIndent,
               document.measurement_ok ? Style::kPlain : Style::kWarning);
  }
  for (const std::string& failure : document.failures) {
    page.prose("FAILED: " + failure, kFactIndent, Style::kWarning);
  }
  for (const std::string& caveat : document.unreliable) {
    page.prose("unreliable: " + caveat, kFactIndent, Style::kWarning);
  }
  for (const std::string& warning : document.warnings) {
    page.prose("warning: " + warning, kFactIndent, Style::kWarning);
  }
  for (const std::string& note : document.notes) page.prose("note: " + note, kFactIndent);
  if (const auto columns = columns_left_out(document, options); !columns.empty()) {
    page.prose(fmt::format("note: no room in {} columns for: {}",
                           std::max(kConsoleWidth, options.width), join(columns, ", ")),
               kFactIndent);
  }
  if (!options.saved.empty() || !options.next.empty()) page.blank();
  if (!options.saved.empty()) page.labelled("Saved", options.saved);
  for (size_t i = 0; i < options.next.size(); ++i) {
    page.labelled(i == 0 ? "Next" : "", options.next[i]);
  }
  return page.take();
}

std::string render_console(const ReportModel& model, const RenderOptions& options) {
  return console_text(make_document(model), options);
}

}  // namespace assay
