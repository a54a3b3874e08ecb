#pragma once

#include <string>

#include "cli/terminal.h"
#include "run/measure.h"

namespace assay {

/// Progress of a run on standard error, for people who look, and for logs that nobody watches.
class RunProgress {
 public:
  explicit RunProgress(const RunSpec& spec);

  /// Refer to this object.
  MeasureHooks hooks();
  void clear() { line_.clear(); }

 private:
  void planned(const RunMeta& meta);
  void update(const LiveEvents::Progress& p, const CallRecord* last);

  ProgressLine line_;
  bool quiet_;
  bool plain_;
  std::string run_;
  int64_t told_tenth_ = -1;
  MonoNs told_at_ = 0;
};

}  // namespace assay
