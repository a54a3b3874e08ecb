#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace assay {

/// Incremental parser of text/event-stream bodies as WHATWG HTML section 9.2 defines them: LF, CRLF
/// and CR line ends, several data lines an event, comments, a leading byte order mark. `retry` and
/// `id` fields are not needed here and skipped. Bytes may be split anywhere.
class SseParser {
 public:
  /// A line or an event's data above this many bytes ends the stream as over_limit.
  static constexpr size_t kMaxEventBytes = 4U << 20;

  /// Calls `on_event(type, data)` for every complete event; `type` is empty for the default type.
  /// The views end with the call. False when an event is over the limit.
  template <class OnEvent>
  bool feed(std::string_view bytes, OnEvent&& on_event) {
    if (at_start_ && !skip_mark(bytes)) return true;
    while (!bytes.empty()) {
      if (after_cr_) {
        after_cr_ = false;
        if (bytes.front() == '\n') {
          bytes.remove_prefix(1);
          continue;
        }
      }
      const size_t end = bytes.find_first_of("\r\n");
      if (end == std::string_view::npos) {
        carry_.append(bytes);
        return carry_.size() <= kMaxEventBytes;
      }
      after_cr_ = bytes[end] == '\r';
      std::string_view line = bytes.substr(0, end);
      bytes.remove_prefix(end + 1);
      if (carry_.empty()) {
        if (!take_line(line, bytes, on_event)) return false;
      } else {
        carry_.append(line);
        std::string whole;
        whole.swap(carry_);
        if (whole.size() > kMaxEventBytes || !take_line(whole, bytes, on_event)) return false;
        whole.clear();
        carry_.swap(whole);  // Keeps the capacity.
      }
    }
    return true;
  }

  /// Whether bytes of an unfinished event are left over: the stream was cut.
  [[nodiscard]] bool mid_event() const { return !carry_.empty() || has_data_; }

 private:
  template <class OnEvent>
  bool take_line(std::string_view line, std::string_view& rest, OnEvent& on_event) {
    if (line.empty()) {
      if (has_data_) on_event(std::string_view(type_), std::string_view(data_));
      data_.clear();
      type_.clear();
      has_data_ = false;
      return true;
    }
    const size_t colon = line.find(':');
    const std::string_view field = line.substr(0, colon);
    std::string_view value =
        colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (field == "event") {
      type_ = value;
      return true;
    }
    if (field != "data") return true;  // Comments, id, retry and unknown fields.
    // The usual case, one data line and its blank line in the same read: no copy.
    if (!has_data_ && !after_cr_ && !rest.empty() && rest.front() == '\n') {
      rest.remove_prefix(1);
      on_event(std::string_view(type_), value);
      type_.clear();
      return true;
    }
    if (has_data_) data_ += '\n';
    data_.append(value);
    has_data_ = true;
    return data_.size() <= kMaxEventBytes;
  }

  /// Skips a byte order mark. False while too few bytes are there to tell.
  bool skip_mark(std::string_view& bytes) {
    constexpr std::string_view kMark = "\xef\xbb\xbf";
    while (!bytes.empty() && carry_.size() < kMark.size() &&
           bytes.front() == kMark[carry_.size()]) {
      carry_ += bytes.front();
      bytes.remove_prefix(1);
    }
    if (carry_.size() == kMark.size())
      carry_.clear();
    else if (bytes.empty())
      return false;
    at_start_ = false;
    return true;
  }

  std::string carry_;  // An unfinished line.
  std::string data_;   // Data lines of an unfinished event.
  std::string type_;
  bool has_data_ = false;
  bool after_cr_ = false;
  bool at_start_ = true;
};

/// Incremental parser of newline-delimited JSON: one payload a line, blank lines skipped.
class LineParser {
 public:
  static constexpr size_t kMaxLineBytes = SseParser::kMaxEventBytes;

  /// Calls `on_line(line)` for every line that ended. False when a line is over the limit.
  template <class OnLine>
  bool feed(std::string_view bytes, OnLine&& on_line) {
    for (;;) {
      const size_t end = bytes.find('\n');
      if (end == std::string_view::npos) {
        carry_.append(bytes);
        return carry_.size() <= kMaxLineBytes;
      }
      std::string_view line = bytes.substr(0, end);
      bytes.remove_prefix(end + 1);
      std::string whole;
      if (!carry_.empty()) {
        carry_.append(line);
        whole.swap(carry_);
        line = whole;
      }
      if (line.size() > kMaxLineBytes) return false;
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (!line.empty()) on_line(line);
    }
  }

  /// A last line without a line end, at the end of the body.
  template <class OnLine>
  void finish(OnLine&& on_line) {
    std::string whole;
    whole.swap(carry_);
    if (!whole.empty() && whole.back() == '\r') whole.pop_back();
    if (!whole.empty()) on_line(std::string_view(whole));
  }

 private:
  std::string carry_;
};

}  // namespace assay
