#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace assay {

/// Makes a run's live events: `{"id":"<run>-<seq>","event":"stage","data":{…}}`. `seq` counts from
/// 1 without holes. Not thread-safe: the thread that owns the run numbers its events.
class EventLines {
 public:
  /// `last_seq` is what last_event_seq() says when a run is taken up again.
  explicit EventLines(std::string run_id, int64_t last_seq = 0);

  /// The next line, without line end. `data_json` is JSON text; empty stands for `{}`.
  std::string next(std::string_view event, std::string_view data_json);

  /// Of the last line made; 0 before the first.
  [[nodiscard]] int64_t last_seq() const { return last_seq_; }
  /// `<run>-<seq>` of the last line made.
  [[nodiscard]] std::string last_id() const;

 private:
  std::string run_id_;
  int64_t last_seq_ = 0;
};

/// The number of the last whole line of an events file; a torn last line is passed over. 0 when
/// there is no file or nothing in it; kIo, or kProtocol when the last whole line has no number.
Result<int64_t> last_event_seq(const std::filesystem::path& path);

}  // namespace assay
