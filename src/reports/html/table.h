#pragma once

#include <string>
#include <string_view>

#include "reports/document.h"

namespace assay {

/// A table with its caption; rows are named by their first cell. A column with estimates says
/// how many calls they need. `definitions` collects what the names of figures open.
class Definitions;
std::string html_table(const Table& table, std::string_view caption, Definitions& definitions);

/// What each figure means, one click from where it stands: a button opens a note, without script.
class Definitions {
 public:
  /// The label as a button that opens the metric's definition; plain where there is none.
  std::string metric(std::string_view label, std::string_view name);
  /// The label as a button that opens `about`; plain when that is empty.
  std::string words(std::string_view label, std::string_view about);
  /// The notes of all buttons so far.
  [[nodiscard]] std::string notes() const;

 private:
  struct Note {
    std::string label;
    std::string text;
  };
  std::string button(std::string_view label, std::string note_label, std::string text);
  std::vector<Note> notes_;
};

}  // namespace assay
