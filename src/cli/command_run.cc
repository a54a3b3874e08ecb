#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>

#include "base/files.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/show_run.h"
#include "run/measure.h"
#include "store/ledger.h"

namespace assay {
namespace {

/// `1:05`, or `-` while unknown.
std::string eta_text(const std::optional<double>& seconds) {
  if (!seconds) return "-";
  const auto s = std::llround(*seconds);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

/// Progress for people who look, and for logs that nobody watches.
class Progress {
 public:
  explicit Progress(const RunSpec& spec)
      : line_(!spec.no_progress && !spec.quiet),
        plain_(!spec.no_progress && !spec.quiet && !inspect(stderr, "auto").is_tty &&
               std::getenv("CI") == nullptr) {}

  void planned(const RunMeta& meta) {
    run_ = meta.run_id.substr(0, 8);
    if (plain_)
      line_.say(fmt::format("run {} {} calls, suite {}", run_, meta.calls.size(), meta.suite));
  }

  void update(const LiveEvents::Progress& p, const CallRecord* last) {
    const int64_t percent = p.total > 0 ? 100 * p.done / p.total : 100;
    const std::string speed = last != nullptr && last->tokens_per_sec
                                  ? fmt::format("{:.1f} tok/s", *last->tokens_per_sec)
                                  : "";
    const auto filled = static_cast<size_t>(percent * 14 / 100);
    line_.show(fmt::format("run {}  [{}{}] {}/{} {}%  {}  {} failed  ETA {}", run_,
                           std::string(filled, '#'), std::string(14 - filled, '-'), p.done, p.total,
                           percent, speed, p.failed, eta_text(p.eta_s)));
    const MonoNs now = mono_now_ns();
    constexpr int64_t kQuietNs = 30'000'000'000;
    if (!plain_ || (percent / 10 == told_tenth_ && now - told_at_ < kQuietNs)) return;
    if (told_at_ != 0) {
      line_.say(fmt::format("run {} {}% {}/{} {} {} failed eta {}", run_, percent, p.done, p.total,
                            speed, p.failed, eta_text(p.eta_s)));
    }
    told_tenth_ = percent / 10;
    told_at_ = now;
  }

  void say(const std::string& text) { line_.say(text); }
  void clear() { line_.clear(); }

 private:
  ProgressLine line_;
  bool plain_;
  std::string run_;
  int64_t told_tenth_ = -1;
  MonoNs told_at_ = 0;
};

int exit_code_for(const RunSpec& spec, const Measured& measured) {
  const RunResult& result = measured.result;
  if (result.signal == SIGINT && result.state != "completed") return exit_code::kInterrupted;
  if (result.signal == SIGTERM && result.state != "completed") return exit_code::kTerminated;
  if (result.state == "failed") return exit_code::kFailed;
  const LiveEvents::Progress& p = result.progress;
  const bool too_many = spec.max_failed ? p.failed > *spec.max_failed : p.failed > 0 && p.ok == 0;
  return too_many ? exit_code::kFailedCalls : exit_code::kDone;
}

/// The result of a run that just ended, as asked for.
int show_result(const RunSpec& spec, const Measured& measured) {
  auto ledger = read_ledger(measured.paths.ledger);
  if (!ledger) return report_failure(ledger.error());
  const ReportModel model = make_report_model(std::move(*ledger));
  const std::string name = measured.run_id.substr(0, 8);
  RenderOptions options = render_options(spec);
  options.saved = short_path(measured.paths.ledger);
  if (measured.result.state == "completed") {
    options.next = {fmt::format("assay runs show {}", name),
                    fmt::format("assay report {} -o {}.md", name, name)};
  } else {
    options.next = {fmt::format("assay resume {}", name)};
  }
  if (spec.json) {
    fmt::print("{}", render_json(model, options));
  } else if (spec.quiet) {
    fmt::print("{}\n", measured.run_id);
  } else {
    fmt::print("{}", render_console(model, options));
  }
  std::fflush(stdout);
  if (!measured.result.error.empty()) {
    print_error(Error(Errc::kIo, measured.result.error));
  }
  if (auto written = write_reports(model, spec.output, ""); !written) {
    return report_failure(written.error());
  }
  return exit_code_for(spec, measured);
}

MeasureHooks hooks_for(const RunSpec& spec, Progress& progress) {
  MeasureHooks hooks;
  if (!spec.quiet) hooks.note = [&progress](const std::string& text) { progress.say(text); };
  hooks.planned = [&progress](const RunMeta& meta) { progress.planned(meta); };
  hooks.progress = [&progress](const LiveEvents::Progress& p, const CallRecord* last) {
    progress.update(p, last);
  };
  return hooks;
}

}  // namespace

int command_run(Invocation& invocation) {
  const RunSpec& spec = invocation.spec;
  for (const std::string& output : spec.output) {
    if (find_report_for(output) != nullptr) continue;
    return report_failure(Error(Errc::kInvalidArgument,
                                fmt::format("no report is written to '{}'", printable(output)),
                                "reports are .json, .csv and .md"));
  }
  Progress progress(spec);
  auto measured = measure(spec, hooks_for(spec, progress));
  progress.clear();
  if (!measured) return report_failure(measured.error());
  return show_result(spec, *measured);
}

int command_resume(Invocation& invocation) {
  RunSpec& spec = invocation.spec;
  spec.wait = invocation.has("wait");
  spec.api_key_file = invocation.value("api-key-file");
  Progress progress(spec);
  auto measured = resume_run(spec, invocation.argument("RUN"), hooks_for(spec, progress));
  progress.clear();
  if (!measured) return report_failure(measured.error());
  return show_result(spec, *measured);
}

}  // namespace assay
