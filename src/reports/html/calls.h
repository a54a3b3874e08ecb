#pragma once

#include <span>
#include <string>

#include "reports/report_model.h"

namespace assay {

/// What a time line may cost. More calls are left out and counted; to save bytes marks that are
/// near one another run together.
struct CallsLimits {
  size_t calls = 60;
  size_t bytes = 16'000;  ///< Of the bars; the least that is drawn may take more.
};

/// Each call of a leg as a line from the moment it was sent: waiting, then text, a mark where text
/// came; a call that gave no text says why. Empty without a call.
std::string calls_plot(const ReportModel& model, const LegResult& leg, const CallsLimits& limits);

}  // namespace assay
