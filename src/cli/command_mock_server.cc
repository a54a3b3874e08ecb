#include <fmt/format.h>

#include <charconv>
#include <functional>

#include "base/files.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/show_run.h"
#include "mock/mock_server.h"

namespace assay {
namespace {

template <class Number>
Result<Number> parse_number(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(Errc::kInvalidArgument, fmt::format("'{}' is no number", printable(text, 40)));
  }
  return value;
}

Result<bool> parse_on_off(const std::string& text) {
  if (text == "on" || text == "off") return text == "on";
  return fail(Errc::kInvalidArgument,
              fmt::format("'{}' is neither on nor off", printable(text, 40)));
}

Result<std::vector<Nanos>> parse_gaps(const std::string& text) {
  std::vector<Nanos> gaps;
  for (const std::string& part : split(text, ',')) {
    const auto gap = parse_duration(part);
    if (!gap) return fail(gap.error());
    gaps.push_back(*gap);
  }
  return gaps;
}

/// Reads flags into MockOptions and keeps the first fault.
class FlagReader {
 public:
  explicit FlagReader(const Invocation& invocation) : invocation_(invocation) {}

  template <class T, class Parse>
  void take(std::string_view flag, T& member, Parse&& parse) {
    if (!invocation_.has(flag) || !fault_.message.empty()) return;
    const auto value = parse(invocation_.value(flag));
    if (!value) {
      fault_ = Error(value.error().code, fmt::format("--{}: {}", flag, value.error().message),
                     value.error().hint);
      return;
    }
    member = *value;
  }

  [[nodiscard]] const Error& fault() const { return fault_; }

 private:
  const Invocation& invocation_;
  Error fault_;
};

}  // namespace

int command_mock_server(Invocation& invocation) {
  MockOptions options;
  FlagReader read(invocation);
  read.take("port", options.port, parse_number<uint16_t>);
  read.take("ttft", options.ttft, parse_duration);
  read.take("gap", options.gap, parse_duration);
  read.take("gap-dist", options.gap_distribution, parse_gap_distribution);
  read.take("gap-sd", options.gap_sd, parse_duration);
  read.take("gap-list", options.gap_list, parse_gaps);
  read.take("tokens", options.tokens, parse_number<int64_t>);
  read.take("tokens-per-event", options.tokens_per_event, parse_number<int64_t>);
  read.take("role", options.role, parse_role_mode);
  read.take("reasoning-share", options.reasoning_share, parse_number<double>);
  read.take("reasoning-style", options.reasoning_style, parse_reasoning_style);
  read.take("usage", options.usage, parse_on_off);
  read.take("coalesce", options.coalesce, parse_number<int64_t>);
  read.take("slots", options.slots, parse_number<int64_t>);
  read.take("prefix-cache", options.prefix_cache, parse_on_off);
  read.take("prefill-tps", options.prefill_tps, parse_number<double>);
  read.take("load-time", options.load_time, parse_duration);
  read.take("ctx", options.ctx, parse_number<int64_t>);
  read.take("seed", options.seed, parse_number<uint64_t>);
  read.take("flavor", options.flavor, parse_flavor);
  options.script_path = invocation.value("script");
  if (invocation.has("models")) options.models = split(invocation.value("models"), ',');
  if (invocation.has("api-key-file")) {
    const auto key = read_file(invocation.value("api-key-file"), 64 << 10);
    if (!key) return report_failure(key.error());
    options.api_key = std::string(trim(*key));
  }
  if (!read.fault().message.empty()) return report_failure(read.fault());
  return run_mock_server(std::move(options));
}

}  // namespace assay
