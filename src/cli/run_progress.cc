#include "cli/run_progress.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace assay {
namespace {

/// `1:05`, or `-` while unknown.
std::string eta_text(const std::optional<double>& seconds) {
  if (!seconds) return "-";
  const auto s = std::llround(*seconds);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

}  // namespace

RunProgress::RunProgress(const RunSpec& spec)
    : line_(!spec.no_progress && !spec.quiet),
      quiet_(spec.quiet),
      plain_(!spec.no_progress && !spec.quiet && !inspect(stderr, "auto").is_tty &&
             std::getenv("CI") == nullptr) {}

MeasureHooks RunProgress::hooks() {
  MeasureHooks hooks;
  if (!quiet_) hooks.note = [this](const std::string& text) { line_.say(text); };
  hooks.planned = [this](const RunMeta& meta) { planned(meta); };
  hooks.progress = [this](const LiveEvents::Progress& p, const CallRecord* last) {
    update(p, last);
  };
  return hooks;
}

void RunProgress::planned(const RunMeta& meta) {
  run_ = meta.run_id.substr(0, 8);
  if (plain_)
    line_.say(fmt::format("run {} {} calls, suite {}", run_, meta.calls.size(), meta.suite));
}

void RunProgress::update(const LiveEvents::Progress& p, const CallRecord* last) {
  const int64_t percent = p.total > 0 ? 100 * p.done / p.total : 100;
  std::string speed = p.doing;
  if (speed.empty() && last != nullptr && last->tokens_per_sec) {
    speed = fmt::format("{:.1f} tok/s", *last->tokens_per_sec);
  }
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

}  // namespace assay
