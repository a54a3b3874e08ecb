#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "model/run.h"

namespace assay {

/// Output tokens as a server counted them, and as the answers' usage does, over the same calls.
struct CountedTokens {
  int64_t calls = 0;
  int64_t server = 0;
  int64_t usage = 0;
  bool pooled = false;  ///< Prompts that were asked in turns share the server's figure.
};

/// What servers counted while a run went on, as far as it can be laid to a cell or a leg. A server
/// counts everything between two readings, so whatever was asked in between shares a figure; what
/// other clients asked is in it, too.
struct ServerTokens {
  std::map<int64_t, CountedTokens> cells;  ///< By the index of the cell.
  std::map<int64_t, CountedTokens> legs;   ///< By that of the leg; those that had a stage alone.
};

/// Sums up what the answers of each leg say. One thread.
class AnsweredTokens {
 public:
  /// `meta` outlives it.
  explicit AnsweredTokens(const RunMeta& meta) : meta_(meta), legs_(meta.legs.size()) {}

  /// Every record, in ledger order.
  void add(const CallRecord& record);

  /// Left out are cells and legs of which a call was not answered or has no usage, and those that
  /// some reading of the counters is missing for.
  [[nodiscard]] ServerTokens beside(const std::vector<ServerCounters>& stages) const;

 private:
  struct Answered {
    int64_t calls = 0;
    int64_t usage = 0;
    bool whole = true;
  };
  [[nodiscard]] std::map<int64_t, int64_t> stages_of_legs() const;

  const RunMeta& meta_;
  std::vector<Answered> legs_;
};

}  // namespace assay
