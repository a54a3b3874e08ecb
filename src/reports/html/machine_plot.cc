#include "reports/html/machine_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "base/text.h"
#include "reports/html/axis.h"
#include "reports/html/text.h"
#include "stats/machine_samples.h"
#include "stats/telemetry_join.h"

namespace assay {
namespace {

constexpr double kWide = 1000;
constexpr size_t kPlaces = 480;  ///< Points of all lines of a strip together.
constexpr size_t kLeastPlaces = 60;
constexpr size_t kMostGpus = 3;
constexpr size_t kMostBars = 240;
constexpr size_t kMostLanes = 6;
constexpr double kLane = 9;
constexpr double kHead = 20;   ///< Of a strip: its title.
constexpr double kStrip = 44;  ///< Of its lines.
constexpr int kTicks = 7;

/// A value of each sample; absent where it was not read.
struct Line {
  std::string name;
  size_t device = 0;  ///< Its stroke, the same in every strip: 0 the processor, then the cards.
  std::vector<std::optional<double>> values;
};

struct Strip {
  std::string_view title;
  std::string_view unit;
  bool from_zero = true;
  std::vector<Line> lines;
};

bool has_value(const Line& line) {
  return std::any_of(line.values.begin(), line.values.end(),
                     [](const auto& value) { return value.has_value(); });
}

void add_line(const TelemetryStream& stream, const std::string& name, Strip& strip,
              std::optional<double> TelemetrySample::*member) {
  Line line{name, 0, {}};
  for (const TelemetrySample& sample : stream.samples) line.values.push_back(sample.*member);
  if (has_value(line)) strip.lines.push_back(std::move(line));
}

void add_gpus(const TelemetryStream& stream, Strip& strip,
              std::optional<double> GpuSample::*member) {
  for (size_t gpu = 0; gpu < std::min<size_t>(kMostGpus, static_cast<size_t>(stream.gpus)); ++gpu) {
    Line line{fmt::format("GPU {}", gpu), gpu + 1, {}};
    for (const TelemetrySample& sample : stream.samples) {
      line.values.push_back(gpu < sample.gpus.size() ? sample.gpus[gpu].*member : std::nullopt);
    }
    if (has_value(line)) strip.lines.push_back(std::move(line));
  }
}

std::vector<Strip> strips_of(const TelemetryStream& stream) {
  std::vector<Strip> strips{{"Temperature", "°C", false, {}},
                            {"Power", "W", true, {}},
                            {"Clock", "MHz", true, {}},
                            {"Use", "%", true, {}}};
  add_line(stream, "CPU", strips[0], &TelemetrySample::cpu_temperature_c);
  add_gpus(stream, strips[0], &GpuSample::temperature_c);
  add_line(stream, "CPU packages", strips[1], &TelemetrySample::cpu_power_w);
  add_gpus(stream, strips[1], &GpuSample::power_w);
  add_line(stream, "CPU", strips[2], &TelemetrySample::cpu_mhz);
  add_gpus(stream, strips[2], &GpuSample::mhz);
  add_line(stream, "CPU", strips[3], &TelemetrySample::cpu_percent);
  add_gpus(stream, strips[3], &GpuSample::percent);
  std::erase_if(strips, [](const Strip& strip) { return strip.lines.empty(); });
  return strips;
}

/// Means of neighbouring samples, at most `places` of them.
std::vector<std::optional<double>> thinned(const std::vector<std::optional<double>>& values,
                                           size_t places) {
  const size_t each = std::max<size_t>(1, (values.size() + places - 1) / places);
  std::vector<std::optional<double>> out;
  for (size_t begin = 0; begin < values.size(); begin += each) {
    double sum = 0;
    double known = 0;
    for (size_t i = begin; i < std::min(begin + each, values.size()); ++i) {
      if (!values[i]) continue;
      sum += *values[i];
      ++known;
    }
    out.push_back(known > 0 ? std::optional(sum / known) : std::nullopt);
  }
  return out;
}

struct Range {
  double low = 0;
  double high = 0;
};

Range range_of(const Line& line) {
  std::optional<Range> range;
  for (const auto& value : line.values) {
    if (!value) continue;
    if (!range) range = Range{*value, *value};
    range->low = std::min(range->low, *value);
    range->high = std::max(range->high, *value);
  }
  return range.value_or(Range{});
}

/// Seconds of the run to places on the drawing.
class Time {
 public:
  Time(const ReportModel& model, const TelemetryStream& stream) {
    axis_.low = std::min(0.0, seconds(stream.samples.front().at_ns));
    axis_.high = seconds(stream.samples.back().at_ns);
    for (const Flight& flight : model.flights) {
      axis_.high = std::max(axis_.high, seconds(flight.span.to_ns));
    }
    axis_.high = std::max(axis_.high, axis_.low + 1e-3);
  }
  [[nodiscard]] double place(int64_t at_ns) const {
    return kWide * std::clamp(axis_.percent(seconds(at_ns)) / 100, 0.0, 1.0);
  }
  [[nodiscard]] const Axis& axis() const { return axis_; }

 private:
  static double seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }
  Axis axis_;
};

/// The calls that this machine served, each on the first lane that is free.
struct Calls {
  std::string bars;
  size_t lanes = 1;
  size_t count = 0;
};

Calls calls_of(const ReportModel& model, const TelemetryStream& stream, const Time& time) {
  std::vector<Span> spans;
  std::vector<bool> here;  // By cell.
  for (const Cell& cell : model.meta.cells) {
    here.push_back(stream_of(model.telemetry, cell.id) == &stream);
  }
  for (const Flight& flight : model.flights) {
    if (here[static_cast<size_t>(flight.cell)]) spans.push_back(flight.span);
  }
  std::sort(spans.begin(), spans.end(),
            [](const Span& a, const Span& b) { return a.from_ns < b.from_ns; });
  Calls calls;
  calls.count = spans.size();
  // Too many to tell apart: when calls were in flight at all.
  if (spans.size() > kMostBars) spans = joined(std::move(spans));
  if (spans.size() > kMostBars) spans.resize(kMostBars);
  std::vector<int64_t> free;
  std::vector<std::string> lanes;
  for (const Span& span : spans) {
    size_t lane = 0;
    while (lane < free.size() && free[lane] > span.from_ns && lane + 1 < kMostLanes) ++lane;
    if (lane == free.size()) {
      free.push_back(0);
      lanes.emplace_back();
    }
    free[lane] = std::max(free[lane], span.to_ns);
    const double from = time.place(span.from_ns);
    // The line's ends are cut a little, so that calls in a row stay apart.
    lanes[lane] += fmt::format("M{} 0H{}", short_number(from),
                               short_number(std::max(from + 0.8, time.place(span.to_ns) - 0.8)));
  }
  for (size_t lane = 0; lane < lanes.size(); ++lane) {
    calls.bars += fmt::format(R"-(<path class="c" transform="translate(0 {})" d="{}"/>)-",
                              short_number(kLane * (static_cast<double>(lane) + 0.5)), lanes[lane]);
  }
  calls.lanes = std::max<size_t>(1, lanes.size());
  return calls;
}

/// Where the machine throttled, over the whole height.
std::string shades_of(const TelemetryStream& stream, const Time& time, double height) {
  std::vector<Span> spans;
  for (size_t i = 1; i < stream.samples.size(); ++i) {
    const Span span{stream.samples[i - 1].at_ns, stream.samples[i].at_ns};
    if (!throttled_in(stream, span).empty()) spans.push_back(span);
  }
  spans = joined(std::move(spans));
  std::string out;
  size_t drawn = 0;
  for (const Span& span : spans) {
    if (drawn++ == kMostBars) break;
    const double from = time.place(span.from_ns);
    out += fmt::format(R"(<path class="th" d="M{} 0H{}V{}H{}z"/>)", short_number(from),
                       short_number(std::max(from + 1, time.place(span.to_ns))),
                       short_number(height), short_number(from));
  }
  return out;
}

std::string path_of(const Line& line, const TelemetryStream& stream, const Time& time,
                    const Axis& axis, size_t places) {
  const auto values = thinned(line.values, places);
  const size_t each = (line.values.size() + values.size() - 1) / values.size();
  std::string path;
  bool pen_down = false;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) {
      pen_down = false;
      continue;
    }
    const size_t middle = std::min(i * each + each / 2, line.values.size() - 1);
    const double x = time.place(stream.samples[middle].at_ns);
    const double y = kStrip * (1 - axis.percent(*values[i]) / 100);
    path += fmt::format("{}{} {}", pen_down ? 'L' : 'M', short_number(x), short_number(y));
    if (!pen_down) path += "h1";
    pen_down = true;
  }
  return path;
}

/// `CPU 61 … 92`, for each line.
std::string words_of(const Strip& strip) {
  std::vector<std::string> parts;
  for (const Line& line : strip.lines) {
    const Range range = range_of(line);
    const int decimals = range.high < 10 ? 1 : 0;
    parts.push_back(fmt::format("{} {} … {}", line.name, grouped(range.low, decimals),
                                grouped(range.high, decimals)));
  }
  return join(parts, " · ");
}

/// Which stroke is whose, of the devices that any strip shows.
std::string legend_of(const std::vector<Strip>& strips) {
  std::map<size_t, std::string> devices;
  for (const Strip& strip : strips) {
    for (const Line& line : strip.lines) {
      devices[line.device] = line.device == 0 ? "CPU" : line.name;
    }
  }
  std::string out;
  for (const auto& [device, name] : devices) {
    out += fmt::format(R"( <span><i class="k{}"></i>{}</span>)", device, name);
  }
  return out;
}

struct Drawn {
  std::string lines;
  std::string words;
};

/// A strip whose top is at `top`.
Drawn draw(const Strip& strip, const TelemetryStream& stream, const Time& time, double top) {
  Range whole = range_of(strip.lines.front());
  for (const Line& line : strip.lines) {
    const Range range = range_of(line);
    whole = {std::min(whole.low, range.low), std::max(whole.high, range.high)};
  }
  const Axis axis =
      strip.from_zero ? axis_from_zero(whole.high) : axis_around(whole.low, whole.high);
  const size_t places = std::max(kLeastPlaces, kPlaces / strip.lines.size());
  Drawn drawn;
  drawn.lines = fmt::format(R"-(<g transform="translate(0 {})"><path class="gl" d="M0 {}H1000"/>)-",
                            short_number(top + kHead), short_number(kStrip));
  for (const Line& line : strip.lines) {
    drawn.lines += fmt::format(R"(<path class="l{}" d="{}"/>)", line.device,
                               path_of(line, stream, time, axis, places));
  }
  drawn.lines += "</g>";
  drawn.words = fmt::format(
      R"(<text y="{0}">{1}, {2}: {3}</text><g class="e"><text x="-6" y="{4}">{5}</text>)"
      R"(<text x="-6" y="{6}">{7}</text></g>)",
      short_number(top + kHead - 6), strip.title, strip.unit, html_text(words_of(strip)),
      short_number(top + kHead + 8), grouped(axis.high, 0), short_number(top + kHead + kStrip),
      grouped(axis.low, 0));
  return drawn;
}

}  // namespace

std::string machine_plot(const ReportModel& model, const TelemetryStream& stream) {
  if (stream.samples.empty()) return {};
  const std::vector<Strip> strips = strips_of(stream);
  const Time time(model, stream);
  const Calls calls = calls_of(model, stream, time);
  double top = kLane * static_cast<double>(calls.lanes) + 4;
  std::string lines = calls.bars;
  std::string words;
  std::string heard;
  for (const Strip& strip : strips) {
    const Drawn drawn = draw(strip, stream, time, top);
    lines += drawn.lines;
    words += drawn.words;
    heard += fmt::format("; {} in {}: {}", strip.title, strip.unit, words_of(strip));
    top += kHead + kStrip;
  }
  const std::string shades = shades_of(stream, time, top);
  return fmt::format(
      "<figure class=\"machine\"><figcaption>Node {0} over the run, s<small>"
      "<span><i class=\"kc\"></i>calls in flight</span>{11}{1}</small></figcaption>"
      "<svg class=\"plot\" width=\"100%\" height=\"{2}\" role=\"img\" aria-label=\"{3} calls and "
      "{4} samples{5}\">"
      "<svg width=\"100%\" height=\"{6}\" viewBox=\"0 0 1000 {6}\" preserveAspectRatio=\"none\">"
      "{7}{8}</svg>{9}{10}</svg></figure>\n",
      html_text(stream.node), shades.empty() ? "" : " <span><i class=\"kh\"></i>throttled</span>",
      short_number(top + 24), calls.count, stream.samples.size(), html_text(heard),
      short_number(top), shades, lines, words, axis_svg(time.axis(), top + 4, kTicks),
      legend_of(strips));
}

}  // namespace assay
