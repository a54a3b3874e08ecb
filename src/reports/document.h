#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "reports/builtin.h"
#include "reports/report_model.h"

namespace assay {

/// A report for people before it is laid out: every number is already its final string, so that
/// console, Markdown and HTML cannot differ. Text of engines is in it as it came: layouts make it
/// safe.

enum class Align : uint8_t { kLeft, kRight };

struct Column {
  std::string title;
  std::string unit = {};  ///< Under or behind the title; empty for none.
  Align align = Align::kRight;
  int drop = 0;       ///< In a narrow place the column with the highest goes first; 0 never goes.
  int min_width = 0;  ///< Lines columns of successive tables up.
  std::string_view about = {};  ///< What stands in it, a sentence; empty where the title says it.
};

struct TableCell {
  enum class Weight : uint8_t { kNormal, kFaint };
  std::string text;
  Weight weight = Weight::kNormal;
  int64_t needs = 0;             ///< Calls below which `text` is an estimate; 0 when it is none.
  std::string_view metric = {};  ///< The row's metric, by its name; empty for none.
  std::string range = {};        ///< The figure's 95 % interval, `165.0 … 176.2`; empty for none.

  TableCell(std::string content = {}, Weight how = Weight::kNormal, int64_t calls_needed = 0)
      : text(std::move(content)), weight(how), needs(calls_needed) {}
  TableCell(const char* content) : text(content) {}
};

/// A row with fewer cells than columns lets its last cell run to the end. One of a single cell is a
/// remark on the rows above it.
struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<TableCell>> rows;
};

struct Bar {
  std::string label;
  int64_t count = 0;
  std::string mark;  ///< Which percentiles lie here.
};

struct Histogram {
  std::string title;
  std::vector<Bar> bars;
};

struct Heading {
  std::string text;
};

using Block = std::variant<Heading, Table, Histogram>;

struct Document {
  std::string title;
  std::vector<std::string> facts;
  std::vector<Block> blocks;
  std::string measurement;  ///< The verdict on the measurement; empty for none.
  bool measurement_ok = true;
  std::vector<std::string> failures;  ///< What makes the command end with a code of its own.
  std::vector<std::string> unreliable;
  std::vector<std::string> warnings;
  std::vector<std::string> notes;
};

/// What people should see of a run.
Document make_document(const ReportModel& model);

/// At most 77 columns; tables up to RenderOptions::width. A note says which of their columns had no
/// room.
std::string console_text(const Document& document, const RenderOptions& options);
std::string markdown_text(const Document& document);

}  // namespace assay
