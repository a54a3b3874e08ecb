#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <mutex>
#include <thread>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/show_run.h"
#include "store/telemetry_file.h"
#include "store/telemetry_relay.h"
#include "telemetry/sampler.h"

namespace assay {
namespace {

/// Whole lines of several threads to standard output, each at once. A reader that is gone ends the
/// program by its signal.
class Lines {
 public:
  void print(const std::string& line) {
    const std::lock_guard lock(mutex_);
    fmt::print("{}\n", line);
    std::fflush(stdout);
  }

 private:
  std::mutex mutex_;
};

/// Answers each number on standard input with the clock, until its end.
void answer_clock(Lines& lines) {
  constexpr size_t kMaxQuestion = 100;
  std::string open;
  std::array<char, 4096> block;
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, block.data(), block.size());
    const MonoNs now = mono_now_ns();
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    open.append(block.data(), static_cast<size_t>(got));
    for (size_t end = open.find('\n'); end != std::string::npos; end = open.find('\n')) {
      int64_t id = 0;
      const auto [last, error] = std::from_chars(open.data(), open.data() + end, id);
      if (error == std::errc()) lines.print(clock_line({id, now}));
      open.erase(0, end + 1);
    }
    if (open.size() > kMaxQuestion) return;
  }
}

}  // namespace

int command_sample(Invocation& invocation) {
  SamplerOptions options{machine_roots(), 1, 0};
  const std::string rate = invocation.value("rate", "1");
  const auto [end, error] =
      std::from_chars(rate.data(), rate.data() + rate.size(), options.rate_hz);
  if (error != std::errc() || end != rate.data() + rate.size() ||
      !(options.rate_hz >= 0.1 && options.rate_hz <= 10)) {
    return report_failure(
        Error(Errc::kInvalidArgument,
              fmt::format("--rate is 0.1 to 10 samples a second, not '{}'", printable(rate, 40))));
  }
  const auto duration = parse_duration(invocation.value("for", "0"));
  if (!duration) return report_failure(duration.error());
  Lines lines;
  bool has_header = false;
  const Sampler sampler(options, [&](const TelemetryStream& machine, const TelemetrySample& now) {
    if (!has_header) {
      TelemetryStream about = machine;
      about.node = "local";
      about.rate_hz = options.rate_hz;
      lines.print(telemetry_header_line(about, 0));
    }
    has_header = true;
    lines.print(telemetry_row_line(machine, now, 0));
  });
  if (invocation.has("clock")) {
    answer_clock(lines);
  } else if (duration->count() > 0) {
    std::this_thread::sleep_for(*duration);
  } else {
    ::pause();  // Until a signal.
  }
  return exit_code::kDone;
}

}  // namespace assay
