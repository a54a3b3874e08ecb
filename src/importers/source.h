#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace assay {

/// A foreign file's text, and the JSON in it however it is laid out: one document, an array's
/// entries, or a document a line. Parsed once, whichever importer then reads it.
class ImportText {
 public:
  explicit ImportText(std::string text);
  ~ImportText();
  ImportText(const ImportText&) = delete;
  ImportText& operator=(const ImportText&) = delete;

  [[nodiscard]] std::string_view text() const { return text_; }
  /// How many documents there are; 0 when the text is no JSON.
  [[nodiscard]] size_t size() const;
  [[nodiscard]] const nlohmann::ordered_json& at(size_t index) const;
  /// Where a document stands, for people: `entry 3`, `line 3`; empty for the only one.
  [[nodiscard]] std::string place(size_t index) const;
  /// Why a text that begins like JSON is none, and in which line; empty for anything else.
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  struct Documents;
  std::string text_;
  std::unique_ptr<Documents> documents_;
  std::string fault_;
};

}  // namespace assay
