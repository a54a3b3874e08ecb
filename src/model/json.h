#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/load_history.h"
#include "model/run.h"

namespace assay {

/// Ledger lines, without the line end. Key order is fixed; ill-formed UTF-8 becomes U+FFFD.
std::string call_line(const CallRecord& record);
std::string meta_line(const RunMeta& meta);
std::string end_line(const RunEnd& end);
/// A later session took the run up again. `at_ns` counts from the run's start.
std::string resume_line(std::string_view at_utc, int64_t at_ns);

/// The machine was left to cool.
std::string wait_line(const CoolingWait& wait);

/// A server told how it has a model loaded.
std::string load_line(const CellLoad& load);

/// What a ledger line is, by its `type`.
enum class LineType : uint8_t { kMeta, kCall, kWait, kLoad, kResume, kEnd, kUnknown };

/// kProtocol when the line is no JSON object with a `type`.
Result<LineType> line_type(std::string_view line);
/// Missing fields keep their defaults, so that older ledgers stay readable. kProtocol when a field
/// has the wrong type, naming it.
Result<CallRecord> parse_call(std::string_view line);
Result<RunMeta> parse_meta(std::string_view line);
Result<RunEnd> parse_end(std::string_view line);
Result<CoolingWait> parse_wait(std::string_view line);
Result<CellLoad> parse_load(std::string_view line);

/// The instrument by itself, as the cache keeps it and the meta line has it.
std::string instrument_text(const Instrument& instrument);
Result<Instrument> read_instrument(std::string_view text);

nlohmann::ordered_json settings_json(const CallSettings& settings);
nlohmann::ordered_json environment_json(const Environment& environment);
nlohmann::ordered_json preflight_json(const std::vector<PreflightCheck>& checks);
nlohmann::ordered_json load_settings_json(const LaunchSettings& settings);
nlohmann::ordered_json load_attempts_json(const std::vector<LoadAttempt>& attempts);
nlohmann::ordered_json load_history_json(const LoadHistory& history);
Result<LoadHistory> read_load_history(std::string_view text);
/// 16 hex digits over the settings' canonical JSON; those of an engine of ours are part of it.
std::string settings_hash(const CallSettings& settings,
                          const std::optional<LaunchSettings>& load = std::nullopt);

}  // namespace assay
