#include "reports/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "base/text.h"

namespace assay {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kGoodFirstColumn = 14;  // Names lose their middle before a column goes.
constexpr size_t kMinFirstColumn = 12;   // They lose more when no column may go.
constexpr size_t kBarWidth = 40;
constexpr size_t kMaxText = 400;
constexpr size_t kRemarkIndent = 4;

struct Range {
  char32_t first;
  char32_t last;
};
constexpr std::array kWide{Range{0x1100, 0x115f}, Range{0x2e80, 0xa4cf},   Range{0xac00, 0xd7a3},
                           Range{0xf900, 0xfaff}, Range{0xfe30, 0xfe6f},   Range{0xff00, 0xff60},
                           Range{0xffe0, 0xffe6}, Range{0x1f300, 0x1faff}, Range{0x20000, 0x3fffd}};
constexpr std::array kInvisible{Range{0x0300, 0x036f}, Range{0x200b, 0x200f},
                                Range{0x2028, 0x202e}, Range{0x2060, 0x206f},
                                Range{0xfe00, 0xfe0f}, Range{0xfeff, 0xfeff}};

template <class Ranges>
bool within(char32_t c, const Ranges& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& r) { return c >= r.first && c <= r.last; });
}

struct Glyph {
  char32_t code = 0;
  std::string_view bytes;
};

/// Takes one character off the front of well-formed UTF-8.
Glyph take_glyph(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t code = length == 1 ? lead : lead & (0xffU >> (length + 1));
  for (size_t i = 1; i < length && i < text.size(); ++i) {
    code = (code << 6) | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  const Glyph glyph{code, text.substr(0, length)};
  text.remove_prefix(std::min(length, text.size()));
  return glyph;
}

size_t glyph_width(char32_t code) {
  if (within(code, kInvisible)) return 0;
  return within(code, kWide) ? 2 : 1;
}

std::string_view ascii_for(char32_t code) {
  constexpr std::array<std::pair<char32_t, std::string_view>, 7> kStandIns{{{U'±', "+-"},
                                                                            {U'…', "..."},
                                                                            {U'·', "-"},
                                                                            {U'│', "|"},
                                                                            {U'█', "#"},
                                                                            {U'▲', "+"},
                                                                            {U'▼', "-"}}};
  for (const auto& [known, text] : kStandIns) {
    if (known == code) return text;
  }
  return "?";
}

/// The longest beginning or end of at most `width` columns.
std::string head(std::string_view text, size_t width) {
  std::string out;
  size_t used = 0;
  while (!text.empty()) {
    const Glyph glyph = take_glyph(text);
    used += glyph_width(glyph.code);
    if (used > width) break;
    out += glyph.bytes;
  }
  return out;
}

std::string tail(std::string_view text, size_t width) {
  while (display_width(text) > width) take_glyph(text);
  return std::string(text);
}

std::string spaces(size_t n) { return std::string(n, ' '); }

std::string pad(const std::string& text, size_t width, Align align) {
  const size_t used = display_width(text);
  const std::string fill = spaces(used < width ? width - used : 0);
  return align == Align::kLeft ? text + fill : fill + text;
}

void trim_end(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

std::string join_words(const std::string& first, const std::string& second) {
  return first + (first.empty() || second.empty() ? "" : " ") + second;
}

/// A table whose texts are safe and whose columns have their width.
struct Grid {
  std::vector<Column> columns;
  std::vector<std::vector<TableCell>> rows;
  std::vector<size_t> widths;
  std::vector<std::string> dropped;  ///< Titles of columns that had no room.

  void measure() {
    widths.clear();
    for (size_t i = 0; i < columns.size(); ++i) {
      const Column& column = columns[i];
      size_t width = std::max({static_cast<size_t>(column.min_width), display_width(column.title),
                               display_width(column.unit)});
      for (const auto& row : rows) {
        const bool runs_on = row.size() < columns.size() && i + 1 == row.size();
        if (i < row.size() && !runs_on) width = std::max(width, display_width(row[i].text));
      }
      widths.push_back(width);
    }
  }

  [[nodiscard]] size_t total() const {
    size_t sum = widths.empty() ? 0 : kGap * (widths.size() - 1);
    for (const size_t width : widths) sum += width;
    return sum;
  }

  /// Whether no row has a value there.
  [[nodiscard]] bool is_empty(size_t column) const {
    return std::ranges::all_of(rows, [&](const std::vector<TableCell>& row) {
      const bool runs_on = row.size() < columns.size();
      return column + (runs_on ? 1 : 0) >= row.size() || row[column].text == "-";
    });
  }

  /// In a narrow place the column with the highest goes first; 0 never goes. An empty one goes
  /// before all that may go, and nobody misses it.
  [[nodiscard]] int drop_of(size_t column) const {
    constexpr int kEmptyFirst = 1000;
    const int drop = columns[column].drop;
    return drop > 0 && is_empty(column) ? drop + kEmptyFirst : drop;
  }

  /// False when nothing may go.
  bool drop_one() {
    size_t index = 0;
    for (size_t i = 1; i < columns.size(); ++i) {
      if (drop_of(i) > drop_of(index)) index = i;
    }
    if (columns.empty() || columns[index].drop == 0) return false;
    if (!is_empty(index)) {
      dropped.push_back(join_words(columns[index].title, columns[index].unit));
    }
    for (auto& row : rows) {
      const bool runs_on = row.size() < columns.size();
      if (index + (runs_on ? 1 : 0) < row.size()) row.erase(row.begin() + std::ptrdiff_t(index));
    }
    columns.erase(columns.begin() + std::ptrdiff_t(index));
    return true;
  }
};

/// The table with a line of intervals below each row that has any; empty without one.
std::vector<std::vector<TableCell>> with_ranges(const Table& table) {
  std::vector<std::vector<TableCell>> rows;
  bool any = false;
  for (const auto& row : table.rows) {
    rows.push_back(row);
    std::vector<TableCell> below(table.columns.size());
    bool found = false;
    for (size_t i = 0; i < row.size() && i < below.size(); ++i) {
      below[i] = TableCell(row[i].range, TableCell::Weight::kFaint);
      found |= !row[i].range.empty();
    }
    if (!found) continue;
    below.front() = TableCell("  95 % int.", TableCell::Weight::kFaint);
    rows.push_back(std::move(below));
    any = true;
  }
  return any ? rows : std::vector<std::vector<TableCell>>();
}

Grid fitted(const Table& table, const RenderOptions& options) {
  const RenderOptions::Glyphs glyphs = options.glyphs;
  if (options.width > kConsoleWidth) {
    Grid wide{table.columns, with_ranges(table), {}, {}};
    for (auto& row : wide.rows) {
      for (TableCell& cell : row) cell.text = safe_text(cell.text, glyphs);
    }
    wide.measure();
    if (!wide.rows.empty() && wide.total() <= options.width) return wide;
  }
  Grid grid{table.columns, table.rows, {}, {}};
  for (Column& column : grid.columns) {
    column.title = safe_text(column.title, glyphs);
    column.unit = safe_text(column.unit, glyphs);
  }
  for (auto& row : grid.rows) {
    for (TableCell& cell : row) cell.text = safe_text(cell.text, glyphs);
  }
  grid.measure();
  const size_t room = std::max(kConsoleWidth, options.width);
  for (;;) {
    const size_t over = grid.total() > room ? grid.total() - room : 0;
    if (over == 0) return grid;
    if (grid.widths[0] >= kGoodFirstColumn + over) {
      grid.widths[0] -= over;
      return grid;
    }
    if (!grid.drop_one()) {
      const size_t least = std::min(grid.widths[0], kMinFirstColumn);
      grid.widths[0] = std::max(grid.widths[0], least + over) - over;
      return grid;
    }
    grid.measure();
  }
}

std::string line_of(const Grid& grid, const std::vector<TableCell>& row,
                    const RenderOptions& options) {
  std::string line;
  size_t used = 0;
  for (size_t i = 0; i < row.size() && i < grid.columns.size(); ++i) {
    if (i > 0) {
      line += spaces(kGap);
      used += kGap;
    }
    const bool runs_on = row.size() < grid.columns.size() && i + 1 == row.size();
    const size_t most = std::max(kConsoleWidth, options.width);
    const size_t room = most > used ? most - used : 0;
    const size_t width = runs_on ? room : std::min(grid.widths[i], room);
    // A sentence tells most at its beginning.
    std::string text = runs_on ? fit_end(row[i].text, width, options.glyphs)
                               : fit_middle(row[i].text, width, options.glyphs);
    if (!runs_on) text = pad(text, width, grid.columns[i].align);
    used += width;
    const bool faint = row[i].weight == TableCell::Weight::kFaint;
    line += styled(std::move(text), faint ? Style::kFaint : Style::kPlain, options.colour);
  }
  trim_end(line);
  return line;
}

}  // namespace

size_t display_width(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) width += glyph_width(take_glyph(text).code);
  return width;
}

std::string safe_text(std::string_view text, RenderOptions::Glyphs glyphs) {
  const std::string clean = printable(text, kMaxText);
  std::string out;
  for (std::string_view rest = clean; !rest.empty();) {
    const Glyph glyph = take_glyph(rest);
    if (within(glyph.code, kInvisible)) continue;
    out += glyphs == RenderOptions::Glyphs::kUtf8 || glyph.code < 0x80 ? glyph.bytes
                                                                       : ascii_for(glyph.code);
  }
  return out;
}

std::string fit_middle(std::string_view text, size_t width, RenderOptions::Glyphs glyphs) {
  if (display_width(text) <= width) return std::string(text);
  const std::string_view gap = glyphs == RenderOptions::Glyphs::kUtf8 ? "…" : "..";
  const size_t gap_width = display_width(gap);
  if (width <= gap_width) return head(text, width);
  const size_t after = (width - gap_width) / 2;
  return head(text, width - gap_width - after) + std::string(gap) + tail(text, after);
}

std::string fit_end(std::string_view text, size_t width, RenderOptions::Glyphs glyphs) {
  if (display_width(text) <= width) return std::string(text);
  const std::string_view gap = glyphs == RenderOptions::Glyphs::kUtf8 ? "…" : "..";
  const size_t gap_width = display_width(gap);
  if (width <= gap_width) return head(text, width);
  std::string kept = head(text, width - gap_width);
  const size_t space = kept.rfind(' ');
  const bool inside_word = text.size() > kept.size() && text[kept.size()] != ' ';
  if (inside_word && space != std::string::npos && space > 0) kept.resize(space);
  trim_end(kept);
  return kept + std::string(gap);
}

std::vector<std::string> wrap(std::string_view text, size_t width, size_t indent) {
  std::vector<std::string> lines;
  std::string line;
  for (std::string& word : split(text, ' ')) {
    if (word.empty()) continue;
    const auto room = [&] { return width - (lines.empty() ? 0 : indent); };
    if (!line.empty() && display_width(line) + 1 + display_width(word) > room()) {
      lines.push_back((lines.empty() ? "" : spaces(indent)) + line);
      line.clear();
    }
    while (display_width(word) > room()) {
      const std::string part = head(word, room());
      lines.push_back((lines.empty() ? "" : spaces(indent)) + part);
      word.erase(0, part.size());
    }
    line += (line.empty() ? "" : " ") + word;
  }
  if (!line.empty() || lines.empty()) {
    lines.push_back((lines.empty() ? "" : spaces(indent)) + line);
  }
  return lines;
}

std::vector<std::string> left_out(const Table& table, const RenderOptions& options) {
  return fitted(table, options).dropped;
}

std::vector<std::string> lay_out(const Table& table, const RenderOptions& options) {
  const Grid grid = fitted(table, options);
  std::vector<std::string> lines;
  std::vector<TableCell> titles;
  std::vector<TableCell> units;
  bool has_units = false;
  for (const Column& column : grid.columns) {
    titles.emplace_back(column.title);
    units.emplace_back(column.unit);
    has_units |= !column.unit.empty();
  }
  lines.push_back(styled(line_of(grid, titles, options), Style::kBold, options.colour));
  if (has_units) {
    lines.push_back(styled(line_of(grid, units, options), Style::kFaint, options.colour));
  }
  const size_t most = std::max(kConsoleWidth, options.width);
  for (const auto& row : grid.rows) {
    if (row.size() > 1 || grid.columns.size() == 1) {
      lines.push_back(line_of(grid, row, options));
      continue;
    }
    // A remark on the rows above it.
    for (std::string& line : wrap(row.empty() ? "" : row[0].text, most, kRemarkIndent)) {
      lines.push_back(styled(std::move(line), Style::kFaint, options.colour));
    }
  }
  return lines;
}

std::vector<std::string> lay_out(const Histogram& histogram, const RenderOptions& options) {
  const std::string_view rule = options.glyphs == RenderOptions::Glyphs::kUtf8 ? "│" : "|";
  const std::string_view block = options.glyphs == RenderOptions::Glyphs::kUtf8 ? "█" : "#";
  int64_t most = 1;
  for (const Bar& bar : histogram.bars) most = std::max(most, bar.count);
  std::vector<std::string> lines{
      styled(safe_text(histogram.title, options.glyphs), Style::kBold, options.colour)};
  for (const Bar& bar : histogram.bars) {
    const double share = static_cast<double>(bar.count) / static_cast<double>(most);
    const auto length = static_cast<size_t>(std::ceil(share * static_cast<double>(kBarWidth)));
    std::string line = fmt::format("{:>9} {}", bar.label, rule);
    for (size_t i = 0; i < length; ++i) line += block;
    line += fmt::format("{}{:>6}", spaces(kBarWidth - length), bar.count);
    if (!bar.mark.empty()) line += "  " + bar.mark;
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string styled(std::string text, Style style, RenderOptions::Colour colour) {
  if (colour == RenderOptions::Colour::kOff || style == Style::kPlain || text.empty()) return text;
  const std::string_view code = style == Style::kBold ? "1" : style == Style::kFaint ? "2" : "33";
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

}  // namespace assay
