#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/telemetry.h"

namespace assay {

/// telemetry.jsonl: for each sampled machine a line that says what its columns are, then a line a
/// sample: `[stream, t_ms, value, …]`. docs/formats/telemetry.md.

/// The line that begins stream `number`, without line end.
std::string telemetry_header_line(const TelemetryStream& about, int64_t number);
/// A sample's line, values as telemetry_columns() orders them, without line end.
std::string telemetry_row_line(const TelemetryStream& about, const TelemetrySample& sample,
                               int64_t number);

/// Decides which samples are kept, so that a long run's file stays bounded.
class TelemetryRoom {
 public:
  /// `written`: bytes that the file has already.
  explicit TelemetryRoom(size_t written = 0) : written_(written) {}
  /// Whether a sample's line of so many bytes is to be written. Each is until half of
  /// kMaxTelemetryBytes is full, then every tenth of its stream, then none.
  bool take(size_t bytes, int64_t stream);

 private:
  size_t written_;
  std::map<int64_t, size_t> seen_;  ///< By stream.
};
inline constexpr size_t kMaxTelemetryBytes = 32 << 20;

/// Makes streams of lines, one after the other. Lines that are damaged, cut or of an unknown type
/// are passed over. Samples that do not follow the one before in time are dropped. Columns of
/// single cores are not kept, those of unknown names are skipped.
class TelemetryParser {
 public:
  void add(std::string_view line);
  /// The streams so far; a header with a number that was there before continues that stream.
  std::vector<TelemetryStream> take();

 private:
  /// Where a value of a row belongs; nowhere when its column is not known.
  struct Column {
    std::optional<double> TelemetrySample::*host = nullptr;
    std::optional<double> GpuSample::*of_gpu = nullptr;
    size_t gpu = 0;
  };
  struct Open {
    int64_t number = 0;
    TelemetryStream stream;
    std::vector<Column> columns;
    bool begins = true;  ///< The next row is the first of a session.
  };
  void add_header(std::string_view line);
  void add_row(std::string_view line);

  std::vector<Open> open_;
};

/// The file's streams; empty where it is not there or cannot be read. Any thread.
std::vector<TelemetryStream> read_telemetry(const std::filesystem::path& path);

}  // namespace assay
