#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace assay {

/// What a stream can show. Each stream is judged by itself.
struct Terminal {
  bool is_tty = false;
  bool colour = false;
  bool utf8 = false;
  std::optional<int> columns;  ///< As COLUMNS or the terminal says.
};

/// `color` is auto, always or never; NO_COLOR, CLICOLOR_FORCE and TERM=dumb are honoured.
Terminal inspect(FILE* stream, std::string_view color);

/// `error: …` and `hint: …` on standard error, several lines of a message each with its own prefix.
void print_error(const Error& error);

/// One line on standard error that draws itself over; nothing when the stream is no terminal.
class ProgressLine {
 public:
  explicit ProgressLine(bool enabled);
  ~ProgressLine() { clear(); }
  void show(const std::string& text);
  void clear();
  /// A whole line above the progress line.
  void say(const std::string& text);

 private:
  bool enabled_;
  bool shown_ = false;
  Terminal terminal_;
};

}  // namespace assay
