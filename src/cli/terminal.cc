#include "cli/terminal.h"

#include <fmt/format.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"

namespace assay {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

std::optional<int> columns_of(int fd) {
  if (const char* value = std::getenv("COLUMNS"); value != nullptr && std::atoi(value) > 0) {
    return std::atoi(value);
  }
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return size.ws_col;
}

}  // namespace

Terminal inspect(FILE* stream, std::string_view color) {
  Terminal terminal;
  const int fd = ::fileno(stream);
  terminal.is_tty = ::isatty(fd) == 1;
  terminal.columns = columns_of(fd);
  terminal.utf8 = std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::string_view(term) == "dumb";
  terminal.colour = color == "always" || (color == "auto" && !is_set("NO_COLOR") && !dumb &&
                                          (terminal.is_tty || is_set("CLICOLOR_FORCE")));
  if (dumb) terminal.is_tty = false;
  return terminal;
}

void print_error(const Error& error) {
  for (const std::string& line : split(error.message, '\n')) {
    fmt::print(stderr, "error: {}\n", line);
  }
  if (!error.hint.empty()) fmt::print(stderr, "  hint: {}\n", error.hint);
}

ProgressLine::ProgressLine(bool enabled) : terminal_(inspect(stderr, "auto")) {
  enabled_ = enabled && terminal_.is_tty;
}

void ProgressLine::show(const std::string& text) {
  if (!enabled_) return;
  const auto width = static_cast<size_t>(std::max(terminal_.columns.value_or(80) - 1, 1));
  fmt::print(stderr, "\r\x1b[K{}", text.substr(0, width));
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::clear() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  shown_ = false;
}

void ProgressLine::say(const std::string& text) {
  clear();
  fmt::print(stderr, "{}\n", text);
}

}  // namespace assay
