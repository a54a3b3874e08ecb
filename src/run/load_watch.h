#pragma once

#include <cstdint>
#include <map>

#include "run/active_run.h"
#include "run/record_keeper.h"

namespace assay {

/// Asks servers that are not ours how they have a model loaded, once after each load, and puts what
/// is new into the ledger. Load thread only.
class LoadWatch {
 public:
  LoadWatch(const ActiveRun& run, RecordKeeper& records) : run_(run), records_(records) {}

  /// A call of the cell was answered: its model is there.
  Task<void> answered(int64_t cell);

 private:
  const ActiveRun& run_;
  RecordKeeper& records_;
  std::map<int64_t, int64_t> looked_;  ///< By cell: HostedModel::changes as it was asked about.
};

}  // namespace assay
