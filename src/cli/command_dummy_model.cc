#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/show_run.h"
#include "gguf/dummy_model.h"

namespace assay {
namespace {

Result<int64_t> number(const Invocation& invocation, std::string_view flag, int64_t otherwise) {
  const std::string text = invocation.value(flag, fmt::format("{}", otherwise));
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    return fail(Errc::kInvalidArgument,
                fmt::format("--{} '{}' is no number", flag, printable(text)));
  }
  return value;
}

/// The shape whose parameters come nearest to `135m`, `0.5b` or a plain count.
Result<std::string> shape_of_size(const std::string& text) {
  double count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string unit = to_lower(std::string_view(end, text.data() + text.size()));
  const double scale = unit == "b" ? 1e9 : unit == "m" ? 1e6 : unit == "k" ? 1e3 : 1;
  if (error != std::errc() || count <= 0 || (scale == 1 && !unit.empty())) {
    return fail(Errc::kInvalidArgument, fmt::format("--size '{}' is no size", printable(text, 40)),
                "write it like 135m or 1.5b");
  }
  const auto distance = [&](const ShapeInfo& shape) {
    return std::fabs(std::log(static_cast<double>(shape.parameters) / (count * scale)));
  };
  const auto shapes = known_shapes();
  return std::min_element(
             shapes.begin(), shapes.end(),
             [&](const ShapeInfo& a, const ShapeInfo& b) { return distance(a) < distance(b); })
      ->name;
}

int list_shapes() {
  for (const ShapeInfo& shape : known_shapes()) {
    std::string sizes;
    for (const QuantisedSize& size : shape.sizes) {
      sizes += fmt::format("{}{} {}", sizes.empty() ? "" : ", ", size.quantisation,
                           bytes_text(size.file_bytes));
    }
    fmt::print("{:<14} {:>14} parameters  {}\n", shape.name,
               grouped(static_cast<double>(shape.parameters), 0), sizes);
  }
  return exit_code::kDone;
}

}  // namespace

int command_dummy_model(Invocation& invocation) {
  if (invocation.has("list")) return list_shapes();
  std::string shape = invocation.value("shape", "tiny");
  if (invocation.has("size")) {
    const auto nearest = shape_of_size(invocation.value("size"));
    if (!nearest) return report_failure(nearest.error());
    shape = *nearest;
  }
  auto spec = parse_shape(shape);
  if (!spec) return report_failure(spec.error());
  const auto seed = number(invocation, "seed", 1);
  if (!seed) return report_failure(seed.error());
  spec->seed = static_cast<uint64_t>(*seed);
  if (invocation.has("script")) spec->mode = DummyMode::kScript;
  if (invocation.has("context-length")) {
    const auto context = number(invocation, "context-length", 0);
    if (!context) return report_failure(context.error());
    spec->context_length = *context;
  }
  std::string name = to_lower(shape);
  std::replace(name.begin(), name.end(), ':', '-');
  const std::string output = invocation.value("output", name + ".gguf");
  ProgressLine line(!invocation.spec.quiet && !invocation.spec.no_progress);
  const auto written = write_dummy_model(*spec, output, [&](int64_t done, int64_t total) {
    line.show(fmt::format("writing {}  {} of {}", output, bytes_text(done), bytes_text(total)));
    return true;
  });
  line.clear();
  if (!written) return report_failure(written.error());
  if (invocation.spec.quiet) {
    fmt::print("{}\n", output);
  } else {
    fmt::print("Wrote {} ({}, {} parameters)\n", output, bytes_text(written->file_bytes),
               grouped(static_cast<double>(written->parameters), 0));
    if (spec->mode == DummyMode::kRandom) {
      fmt::print("random weights: speed is real, text is noise\nNext  assay run --gguf {}\n",
                 output);
    }
  }
  return exit_code::kDone;
}

}  // namespace assay
