#include "store/telemetry_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "store/telemetry_row.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxStreams = 64;
constexpr size_t kMaxGpus = 64;
constexpr size_t kMaxTexts = 4096;  ///< Cells, reasons and facts of a stream, each.
constexpr size_t kMaxText = 400;
constexpr double kMsNs = 1e6;
constexpr double kMostMs = 1e12;

template <class Part>
void add_values(const std::span<const TelemetryField<Part>> fields, const Part& part,
                std::string& line) {
  for (const auto& field : fields) {
    const std::optional<double>& value = part.*field.member;
    if (value && std::isfinite(*value)) {
      fmt::format_to(std::back_inserter(line), ",{:.{}f}", *value, field.decimals);
    } else {
      line += ",null";
    }
  }
}

std::map<std::string, std::string> texts_of(const Json& json, const char* member) {
  std::map<std::string, std::string> texts;
  const auto found = json.find(member);
  if (found == json.end() || !found->is_object()) return texts;
  for (const auto& [name, value] : found->items()) {
    if (!value.is_string() || texts.size() == kMaxTexts) continue;
    texts.emplace(printable(name, kMaxText), printable(value.get<std::string>(), kMaxText));
  }
  return texts;
}

std::optional<double> number_of(const Json& json, const char* member) {
  const auto found = json.find(member);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  const double value = found->get<double>();
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string telemetry_header_line(const TelemetryStream& about, int64_t number) {
  const Json json{
      {"type", "telemetry"},
      {"version", 1},
      {"stream", number},
      {"node", about.node},
      {"cells", about.cells},
      {"rate_hz", about.rate_hz},
      {"clock_bound_ms", about.clock_bound_ms ? Json(*about.clock_bound_ms) : Json(nullptr)},
      {"columns", telemetry_columns(about)},
      {"missing", about.missing},
      {"facts", about.facts}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string telemetry_row_line(const TelemetryStream& about, const TelemetrySample& sample,
                               int64_t number) {
  std::string line = fmt::format("[{},{:.1f}", number, static_cast<double>(sample.at_ns) / kMsNs);
  add_values(host_fields(), sample, line);
  for (size_t core = 0; core < static_cast<size_t>(about.cores); ++core) {
    add_values(core_fields(), core < sample.cores.size() ? sample.cores[core] : CoreSample(), line);
  }
  for (size_t gpu = 0; gpu < static_cast<size_t>(about.gpus); ++gpu) {
    add_values(gpu_fields(), gpu < sample.gpus.size() ? sample.gpus[gpu] : GpuSample(), line);
  }
  return line + "]";
}

bool TelemetryRoom::take(size_t bytes, int64_t stream) {
  constexpr size_t kThinned = 10;
  const bool whole = written_ + bytes <= kMaxTelemetryBytes / 2;
  const bool due = seen_[stream]++ % kThinned == 0;
  if (!whole && (!due || written_ + bytes > kMaxTelemetryBytes)) return false;
  written_ += bytes;
  return true;
}

void TelemetryParser::add(std::string_view line) {
  if (line.rfind('[', 0) == 0) {
    add_row(line);
  } else {
    add_header(line);
  }
}

void TelemetryParser::add_header(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || json.value("type", Json()) != "telemetry") return;
  const auto columns = json.find("columns");
  const auto number = number_of(json, "stream");
  if (columns == json.end() || !columns->is_array() || columns->size() > kMaxTelemetryColumns)
    return;
  if (!number || !json.contains("node") || !json["node"].is_string()) return;
  Open entry;
  entry.number = static_cast<int64_t>(std::clamp(*number, 0.0, 1e6));
  TelemetryStream& stream = entry.stream;
  stream.node = printable(json["node"].get<std::string>(), kMaxText);
  stream.rate_hz = std::clamp(number_of(json, "rate_hz").value_or(1), 0.01, 1000.0);
  stream.clock_bound_ms = number_of(json, "clock_bound_ms");
  stream.missing = texts_of(json, "missing");
  stream.facts = texts_of(json, "facts");
  if (const auto cells = json.find("cells"); cells != json.end() && cells->is_array()) {
    for (const Json& cell : *cells) {
      if (cell.is_string() && stream.cells.size() < kMaxTexts) {
        stream.cells.push_back(cell.get<std::string>());
      }
    }
  }
  for (const Json& column : *columns) {
    Column& place = entry.columns.emplace_back();
    if (!column.is_string()) continue;
    const auto name = column.get<std::string>();
    for (const auto& field : host_fields()) {
      if (field.name == name) place.host = field.member;
    }
    size_t gpu = 0;
    if (name.rfind("gpu", 0) != 0) continue;
    const char* last = name.data() + name.size();
    const auto [end, error] = std::from_chars(name.data() + 3, last, gpu);
    if (error != std::errc() || end == last || *end != '_' || gpu >= kMaxGpus) continue;
    for (const auto& field : gpu_fields()) {
      if (field.name != std::string_view(end + 1, static_cast<size_t>(last - end - 1))) continue;
      place.of_gpu = field.member;
      place.gpu = gpu;
      stream.gpus = std::max(stream.gpus, static_cast<int64_t>(gpu) + 1);
    }
  }
  for (Open& known : open_) {
    if (known.number != entry.number) continue;
    // A resumed run: what the machine said last is what holds.
    stream.samples = std::move(known.stream.samples);
    known = std::move(entry);
    return;
  }
  if (open_.size() < kMaxStreams) open_.push_back(std::move(entry));
}

void TelemetryParser::add_row(std::string_view line) {
  const auto values = parse_telemetry_row(line);
  if (!values || values->size() < 2 || !(*values)[0] || !(*values)[1]) return;
  const double ms = *(*values)[1];
  if (std::fabs(ms) > kMostMs) return;
  for (Open& entry : open_) {
    if (static_cast<double>(entry.number) != *(*values)[0]) continue;
    if (values->size() != entry.columns.size() + 2) return;
    TelemetrySample sample;
    sample.at_ns = std::llround(ms * kMsNs);
    sample.begins = entry.begins;
    auto& samples = entry.stream.samples;
    if (entry.begins) {
      // A resumed run takes its time up where its last finished call ended: what an earlier session
      // sampled behind that is of calls that were done again.
      const double period_ns = 1e9 / entry.stream.rate_hz;
      const auto begin = static_cast<double>(sample.at_ns) - period_ns;
      while (!samples.empty() && static_cast<double>(samples.back().at_ns) > begin) {
        samples.pop_back();
      }
      entry.begins = false;
    }
    if (!samples.empty() && samples.back().at_ns >= sample.at_ns) return;
    sample.gpus.resize(static_cast<size_t>(entry.stream.gpus));
    for (size_t i = 0; i < entry.columns.size(); ++i) {
      const Column& column = entry.columns[i];
      if (column.host != nullptr) sample.*column.host = (*values)[i + 2];
      if (column.of_gpu != nullptr) sample.gpus[column.gpu].*column.of_gpu = (*values)[i + 2];
    }
    samples.push_back(std::move(sample));
    return;
  }
}

std::vector<TelemetryStream> TelemetryParser::take() {
  std::vector<TelemetryStream> streams;
  for (Open& entry : open_) {
    // What came later than the header is there after all.
    for (const auto& field : host_fields()) {
      const auto& samples = entry.stream.samples;
      const bool any = std::any_of(samples.begin(), samples.end(), [&](const TelemetrySample& s) {
        return (s.*field.member).has_value();
      });
      if (any) entry.stream.missing.erase(std::string(field.name));
    }
    for (size_t gpu = 0; gpu < static_cast<size_t>(entry.stream.gpus); ++gpu) {
      for (const auto& field : gpu_fields()) {
        const auto& samples = entry.stream.samples;
        const bool any = std::any_of(samples.begin(), samples.end(), [&](const auto& s) {
          return gpu < s.gpus.size() && (s.gpus[gpu].*field.member).has_value();
        });
        if (any) entry.stream.missing.erase(fmt::format("gpu{}_{}", gpu, field.name));
      }
    }
    streams.push_back(std::move(entry.stream));
  }
  open_.clear();
  return streams;
}

std::vector<TelemetryStream> read_telemetry(const std::filesystem::path& path) {
  const auto text = read_file(path, 2 * static_cast<int64_t>(kMaxTelemetryBytes));
  if (!text) return {};
  TelemetryParser parser;
  std::string_view rest = *text;
  // A last line without its end is cut.
  for (size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    parser.add(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return parser.take();
}

}  // namespace assay
