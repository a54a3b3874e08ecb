#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace assay {

/// A credential. It cannot be printed or compared by accident; whoever needs the text says
/// `reveal()`, and that is only the code that writes the request header.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] const std::string& reveal() const { return text_; }

  /// `text` with every occurrence of the secret replaced, for text that another side may have
  /// echoed.
  [[nodiscard]] std::string redact(std::string text) const {
    if (text_.empty()) return text;
    for (size_t at = text.find(text_); at != std::string::npos; at = text.find(text_, at)) {
      text.replace(at, text_.size(), "[redacted]");
      at += 10;
    }
    return text;
  }

 private:
  std::string text_;
};

}  // namespace assay
