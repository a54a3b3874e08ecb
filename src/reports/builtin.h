#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reports/report_model.h"

namespace assay {

/// How a report for people looks. Reports for programs ignore it.
struct RenderOptions {
  enum class Colour : uint8_t { kOff, kOn };
  enum class Glyphs : uint8_t { kAscii, kUtf8 };
  Colour colour = Colour::kOff;  ///< Off: not one escape byte.
  Glyphs glyphs = Glyphs::kUtf8;
  /// Columns of the terminal. Only tables use more than 77.
  size_t width = 77;
  std::string saved;              ///< The path behind `Saved`; empty leaves the line out.
  std::vector<std::string> next;  ///< The commands behind `Next`.
};

/// A kind of report. Renderers are pure: equal models give equal bytes.
struct Report {
  std::string_view name;       ///< As in --format.
  std::string_view extension;  ///< As in -o FILE, with the point; empty: not a file.
  std::string_view summary;    ///< One line for help.
  std::string (*render)(const ReportModel&, const RenderOptions&) = nullptr;
  bool lists_calls = false;  ///< Needs every record of the run, see Keep.
};

/// json, csv, md, v1-baseline, html, junit, console.
std::span<const Report> reports();
/// Null when there is none.
const Report* find_report(std::string_view name);
const Report* find_report_for(std::string_view path);  ///< By its extension.

/// One document, schema `assay.run/1`, two spaces of indentation, ends with a line end.
std::string render_json(const ReportModel& model, const RenderOptions& options);
/// One row per record, RFC 4180.
std::string render_csv(const ReportModel& model, const RenderOptions& options);
/// The console's tables in Markdown.
std::string render_markdown(const ReportModel& model, const RenderOptions& options);
/// Source 004's Markdown: a matrix of warm median first_delta_ms, then for each cell its cold and
/// its warm table and the mean over prompts. Warm figures are p50, tokens_per_sec the mean. The
/// shape and the order of columns never change; metrics join at the end.
std::string render_v1_baseline(const ReportModel& model, const RenderOptions& options);
/// One self-contained page: no address, no script; its data in an island of JSON.
std::string render_html(const ReportModel& model, const RenderOptions& options);
/// JUnit XML: a test suite per cell, a test case per leg, failed below kMinSuccessRate.
std::string render_junit(const ReportModel& model, const RenderOptions& options);
/// At most 77 columns.
std::string render_console(const ReportModel& model, const RenderOptions& options);

}  // namespace assay
