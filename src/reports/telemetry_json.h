#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>

#include "model/telemetry.h"
#include "stats/leg_telemetry.h"

namespace assay {

/// A leg's figures; null where no machine was sampled.
nlohmann::ordered_json leg_telemetry_json(const std::optional<LegTelemetry>& machine);

/// What was sampled: a member a stream; the samples themselves are in telemetry.jsonl.
nlohmann::ordered_json telemetry_json(std::span<const TelemetryStream> streams);

}  // namespace assay
