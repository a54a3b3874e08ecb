#include "run/disk_pause.h"

#include <fmt/format.h>

namespace assay {

void DiskPause::tick() {
  if (const auto trouble = disk_.take()) {
    if (!paused_) {
      note_(fmt::format("paused: {}", trouble->message));
      events_.alert("paused", trouble->message);
    }
    paused_ = true;
    ticks_ = 0;
  } else if (paused_ && ++ticks_ % 4 == 0) {
    if (retried_) {
      paused_ = retried_ = false;  // The retry before brought no new trouble.
      note_("the disk works again: going on");
    } else {
      writer_.retry();
      retried_ = true;
    }
    return;
  }
  if (paused_ && ticks_ == 0) retried_ = false;
}

}  // namespace assay
