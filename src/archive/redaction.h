#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/call_record.h"
#include "model/run.h"

namespace assay {

/// Public words in the place of private ones. One thread.
class Aliases {
 public:
  /// A later word for the same text wins. Equal words say that the text may stand.
  void set(const std::string& real, const std::string& alias);
  /// Only where none is set.
  void suggest(const std::string& real, const std::string& alias);

  /// `text` with every whole word replaced, the longest first.
  [[nodiscard]] std::string apply(std::string_view text);

  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& words() const {
    return words_;
  }
  /// How often each alias was put somewhere.
  [[nodiscard]] const std::map<std::string, int64_t, std::less<>>& used() const { return used_; }

 private:
  std::map<std::string, std::string, std::less<>> words_;
  std::map<std::string, int64_t, std::less<>> used_;
};

/// What the run itself says is private: the hosts of its servers get the names of their cells'
/// nodes, the host that measured becomes `harness` unless a node has its name.
void suggest_aliases(const RunMeta& meta, Aliases& aliases);

/// The public form of a ledger's line, without its line end. It is made of the members that this
/// version knows: no other can pass. Paths in options become their last part; prompts stay as they
/// are. kProtocol when the line is damaged or of an unknown kind.
Result<std::string> redact_line(std::string_view line, Aliases& aliases);

}  // namespace assay
