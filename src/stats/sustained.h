#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "model/run.h"
#include "stats/interval.h"
#include "stats/legs.h"

namespace assay {

/// Takes the calls of legs that go on for a time (Leg::sustain_s) while records pass by: 40 bytes a
/// call. One thread.
class SustainedCalls {
 public:
  /// `meta` outlives it.
  explicit SustainedCalls(const RunMeta& meta) : meta_(meta) {}

  void add(const CallRecord& record);
  /// Gives each such leg its LegResult::sustained: with its largest part only, as throughput does.
  /// `resumes`: how often the run was taken up again, `streams`: what the machines did.
  void finish(int64_t resumes, std::span<const TelemetryStream> streams,
              std::vector<LegResult>& legs) const;

 private:
  struct Call {
    int64_t sent_ns = 0;
    int64_t done_ns = 0;
    int64_t first_text_ns = 0;
    int64_t last_text_ns = 0;
    std::optional<int64_t> tokens;
  };
  [[nodiscard]] Sustained figure_of(std::span<const Call> calls) const;

  const RunMeta& meta_;
  std::map<int64_t, std::vector<Call>> legs_;
};

/// Of both windows; less where the leg was shorter than two of them.
inline constexpr int64_t kSustainedWindowNs = 60'000'000'000;
/// A window's figure is the mean of so many stretches, which its interval comes from.
inline constexpr int64_t kSustainedBlocks = 6;

}  // namespace assay
